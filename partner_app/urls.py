"""Every address at a glance."""

from django.urls import include, path
from django.views.generic import RedirectView, TemplateView

from partner_app.core import health
from partner_app.dashboard import views as dashboard
from partner_app.embedded import views as embedded

urlpatterns = [
    path("", TemplateView.as_view(template_name="public/home.html"), name="index"),
    path("privacy/", TemplateView.as_view(template_name="public/privacy.html"), name="privacy"),
    path("terms/", TemplateView.as_view(template_name="public/terms.html"), name="terms"),
    path("support/", TemplateView.as_view(template_name="public/support.html"), name="support"),
    path("help/", TemplateView.as_view(template_name="public/help.html"), name="help"),
    path("install/", embedded.install, name="install"),
    path("install/choose/", embedded.choose, name="install-choose"),
    path("oauth/callback/", embedded.callback, name="callback"),
    path("embedded/", embedded.shell, name="shell"),
    path("embedded/panel/", embedded.panel_shell, name="panel"),
    path("embedded/sign-in/", embedded.sign_in, name="sign-in"),
    path("embedded/session/", embedded.session, name="session"),
    path("embedded/", include("partner_app.insights.urls")),
    path("dashboard/", dashboard.overview, name="dashboard"),
    path("accounts/signup/", RedirectView.as_view(pattern_name="account_login")),
    path("accounts/", include("allauth.urls")),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
]
