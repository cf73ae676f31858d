"""The partner's pages."""

from django.urls import path

from partner_app.dashboard import views

urlpatterns = [
    path("", views.overview, name="dashboard"),
    path("audit/", views.audit, name="audit"),
    path("tenants/<int:company_id>/", views.tenant, name="tenant"),
    path("tenants/<int:company_id>/content/", views.content, name="tenant-content"),
    path("tenants/<int:company_id>/resync/", views.resync, name="tenant-resync"),
]
