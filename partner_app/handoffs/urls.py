"""Estimates of a project, and a handoff's own pages, loaded by the shell with its bearer."""

from django.urls import path

from partner_app.handoffs import views

urlpatterns = [
    path("projects/<int:project_id>/estimates/", views.estimates, name="estimates"),
    path("estimates/<uuid:estimate_id>/delete/", views.delete, name="estimate-delete"),
    path("estimates/<uuid:estimate_id>/plan/", views.plan, name="plan"),
    path("handoffs/<uuid:handoff_id>/", views.handoff_page, name="handoff"),
    path("handoffs/<uuid:handoff_id>/progress/", views.handoff_progress, name="handoff-progress"),
    path("handoffs/<uuid:handoff_id>/submit/", views.submit, name="handoff-submit"),
    path("handoffs/<uuid:handoff_id>/approve/", views.approve, name="handoff-approve"),
    path("handoffs/<uuid:handoff_id>/reject/", views.reject, name="handoff-reject"),
    path("handoffs/<uuid:handoff_id>/cancel/", views.cancel, name="handoff-cancel"),
    path("handoffs/<uuid:handoff_id>/undo/", views.undo_preview, name="handoff-undo"),
    path("handoffs/<uuid:handoff_id>/undo/now/", views.undo, name="handoff-undo-now"),
    path("handoffs/<uuid:handoff_id>/undo/ask/", views.ask_undo, name="handoff-undo-ask"),
    path(
        "handoffs/<uuid:handoff_id>/undo/withdraw/",
        views.withdraw_undo,
        name="handoff-undo-withdraw",
    ),
    path(
        "handoffs/<uuid:handoff_id>/undo/decline/", views.decline_undo, name="handoff-undo-decline"
    ),
    path("handoffs/<uuid:handoff_id>/report/", views.report, name="handoff-report"),
    path("handoffs/<uuid:handoff_id>/workbook/", views.workbook, name="handoff-workbook"),
]
