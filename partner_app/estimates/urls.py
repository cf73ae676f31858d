"""An estimate's own pages, loaded by the shell with its bearer."""

from django.urls import path

from partner_app.estimates import views

urlpatterns = [
    path("projects/<int:project_id>/estimates/upload/", views.upload, name="estimate-upload"),
    path("estimates/<uuid:estimate_id>/", views.estimate_page, name="estimate"),
    path("estimates/<uuid:estimate_id>/answer/", views.answer_question, name="estimate-answer"),
    path("estimates/<uuid:estimate_id>/file/", views.new_file, name="estimate-file"),
    path("projects/<int:project_id>/readings/", views.readings, name="readings"),
    path("readings/<uuid:reading_id>/", views.reading_page, name="reading"),
    path("readings/<uuid:reading_id>/cancel/", views.reading_cancel, name="reading-cancel"),
    path("readings/<uuid:reading_id>/again/", views.reading_again, name="reading-again"),
    path("readings/<uuid:reading_id>/discard/", views.reading_discard, name="reading-discard"),
    path("estimates/<uuid:estimate_id>/mapping/", views.mapping, name="mapping"),
    path("estimates/<uuid:estimate_id>/mapping/choose/", views.choose, name="mapping-choose"),
    path("estimates/<uuid:estimate_id>/mapping/accept/", views.accept, name="mapping-accept"),
    path("estimates/<uuid:estimate_id>/mapping/open/", views.reopen, name="mapping-open"),
    path("estimates/<uuid:estimate_id>/codes/", views.codes, name="codes"),
]
