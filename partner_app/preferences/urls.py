"""A company's settings, in the frame."""

from django.urls import path

from partner_app.preferences import budget_view, permissions, views

urlpatterns = [
    path("settings/", views.settings_page, name="settings"),
    path("settings/support/", views.support, name="settings-support"),
    path("settings/duties/", views.duties, name="settings-duties"),
    path("settings/exceptions/", views.limits, name="settings-limits"),
    path("settings/digest/", views.digest, name="settings-digest"),
    path("settings/permissions/", permissions.check_permissions, name="settings-permissions"),
    path("settings/budget-view/", budget_view.budget_view, name="settings-budget-view"),
    path("settings/budget-view/pin/", budget_view.pin_budget_view, name="pin-budget-view"),
    path("settings/budget-view/unpin/", budget_view.unpin_budget_view, name="unpin-budget-view"),
    path("settings/grace/", views.grace, name="settings-grace"),
]
