"""A company's settings, in the frame."""

from django.urls import path

from partner_app.preferences import permissions, views

urlpatterns = [
    path("settings/", views.settings_page, name="settings"),
    path("settings/support/", views.support, name="settings-support"),
    path("settings/duties/", views.duties, name="settings-duties"),
    path("settings/exceptions/", views.limits, name="settings-limits"),
    path("settings/digest/", views.digest, name="settings-digest"),
    path("settings/permissions/", permissions.check_permissions, name="settings-permissions"),
    path("settings/grace/", views.grace, name="settings-grace"),
]
