"""The address that each company's hook is registered with."""

from django.urls import path

from integrations.procore.webhooks import views

urlpatterns = [path("<uuid:key>/", views.receive, name="webhook")]
