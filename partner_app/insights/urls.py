"""Partials that the shell loads with its bearer."""

from django.urls import path

from partner_app.insights.views import cases, figures, pages, searching

urlpatterns = [
    path("home/", pages.home, name="home"),
    path("tour/", pages.close_tour, name="end-tour"),
    path("progress/", pages.sync_progress, name="progress"),
    path("refresh/", pages.refresh, name="refresh"),
    path("exceptions/", cases.exceptions, name="exceptions"),
    path("exceptions/<int:case_id>/", cases.case, name="case"),
    path("exceptions/<int:case_id>/snooze/", cases.snooze_case, name="case-snooze"),
    path("exceptions/<int:case_id>/wake/", cases.wake_case, name="case-wake"),
    path("exceptions/<int:case_id>/note/", cases.note_case, name="case-note"),
    path("insights/", figures.insights, name="insights"),
    path("insights/<slug:slug>.<str:form>", figures.download, name="figure-download"),
    path("projects/<int:project_id>/insights/", figures.insights, name="project-insights"),
    path(
        "projects/<int:project_id>/insights/<slug:slug>.<str:form>",
        figures.download,
        name="project-figure-download",
    ),
    path("search/", searching.search_records, name="search"),
    path("views/", searching.save, name="save-view"),
    path("views/<int:view_id>/remove/", searching.remove, name="remove-view"),
    path("projects/<int:project_id>/", pages.project, name="project"),
    path("projects/<int:project_id>/arriving/", pages.arriving, name="arriving"),
    path("projects/<int:project_id>/<slug:kind>/", pages.records, name="records"),
    path("panel/<int:project_id>/<str:view>/", pages.panel, name="panel-view"),
    path("panel/<int:project_id>/<str:view>/<int:record_id>/", pages.panel, name="panel-record"),
]
