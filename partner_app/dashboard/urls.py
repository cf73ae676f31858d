"""The partner's pages."""

from django.urls import path

from partner_app.dashboard.views import actions, alerts, incidents, operations, tenants

urlpatterns = [
    path("", operations.overview_page, name="dashboard"),
    path("numbers/", operations.numbers, name="dashboard-numbers"),
    path("tenants/", tenants.tenant_list, name="tenants"),
    path("tenants/<int:company_id>/", tenants.tenant, name="tenant"),
    path("tenants/<int:company_id>/content/", tenants.content, name="tenant-content"),
    path("tenants/<int:company_id>/do/<slug:name>/", actions.act, name="tenant-action"),
    path("syncs/", operations.sync_runs, name="runs"),
    path("syncs/<int:run_id>/", operations.sync_run, name="run"),
    path("webhooks/", operations.webhook_events, name="deliveries"),
    path("webhooks/<int:event_id>/again/", actions.redeliver, name="redeliver"),
    path("usage/", operations.usage_page, name="usage"),
    path("queues/", operations.queues_page, name="queues"),
    path("handoffs/", operations.handoffs_page, name="handoff-events"),
    path("incidents/", incidents.incident_list, name="incidents"),
    path("incidents/<int:incident_id>/", incidents.incident, name="incident"),
    path("unreadable/", incidents.unreadable_list, name="unreadable"),
    path("alerts/", alerts.channels, name="alerts"),
    path("alerts/<int:channel_id>/remove/", alerts.remove, name="alert-remove"),
    path("alerts/<int:channel_id>/try/", alerts.attempt, name="alert-try"),
    path("audit/", operations.audit, name="audit"),
]
