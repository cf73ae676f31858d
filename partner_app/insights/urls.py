"""Partials that the shell loads with its bearer."""

from django.urls import path

from partner_app.insights import views

urlpatterns = [
    path("home/", views.home, name="home"),
    path("progress/", views.sync_progress, name="progress"),
    path("refresh/", views.refresh, name="refresh"),
    path("projects/<int:project_id>/", views.project, name="project"),
    path("projects/<int:project_id>/<slug:kind>/", views.records, name="records"),
    path("panel/<int:project_id>/<str:view>/<int:record_id>/", views.panel, name="panel-record"),
]
