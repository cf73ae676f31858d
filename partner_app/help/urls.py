"""Help for anyone, within the frame, and the partner's list of questions."""

from django.urls import path

from partner_app.help import views

urlpatterns = [
    path("help/", views.index, name="help"),
    path("help/<slug:slug>/", views.help_page, name="help-page"),
    path("support/", views.support_page, name="support"),
    path("embedded/help/", views.in_frame, name="frame-help"),
    path("embedded/help/ask/", views.ask, name="ask-support"),
    path("dashboard/support/", views.requests, name="support-requests"),
    path("dashboard/support/<int:request_id>/answered/", views.answered, name="support-answered"),
]
