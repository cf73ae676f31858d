"""All URLs of the app."""

from django.conf import settings
from django.urls import include, path
from django.views.generic import RedirectView, TemplateView

from partner_app.accounts import views as accounts
from partner_app.core import health
from partner_app.dashboard import metrics, status
from partner_app.embedded import views as embedded

handler400 = "partner_app.core.http.bad_request"
handler404 = "partner_app.core.http.not_found"
handler500 = "partner_app.core.http.server_error"

styleguide = (
    [path("styleguide/", TemplateView.as_view(template_name="styleguide.html"), name="styleguide")]
    if settings.ON_LOCALHOST
    else []
)
urlpatterns = [
    path("", TemplateView.as_view(template_name="public/home.html"), name="index"),
    path("privacy/", TemplateView.as_view(template_name="public/privacy.html"), name="privacy"),
    path("terms/", TemplateView.as_view(template_name="public/terms.html"), name="terms"),
    path("", include("partner_app.help.urls")),
    path("install/", embedded.install, name="install"),
    path("install/choose/", embedded.choose, name="install-choose"),
    path("oauth/callback/", embedded.callback, name="callback"),
    path("oauth/confirm/", embedded.confirm, name="confirm"),
    path("embedded/", embedded.shell, name="shell"),
    path("embedded/panel/", embedded.panel_shell, name="panel"),
    path("embedded/sign-in/", embedded.sign_in, name="sign-in"),
    path("embedded/session/", embedded.session, name="session"),
    path("embedded/renewal/", embedded.renewal, name="renewal"),
    path("embedded/pairing/", embedded.pairing, name="pairing"),
    path("embedded/sign-out/", embedded.sign_out, name="sign-out"),
    path("embedded/sign-out/everywhere/", embedded.sign_out_all, name="sign-out-all"),
    path("embedded/", include("partner_app.estimates.urls")),
    path("embedded/", include("partner_app.handoffs.urls")),
    path("embedded/", include("partner_app.insights.urls")),
    path("embedded/", include("partner_app.preferences.urls")),
    path("dashboard/", include("partner_app.dashboard.urls")),
    path(
        "accounts/password/reset/",
        TemplateView.as_view(template_name="account/forgotten.html"),
        name="account_reset_password",
    ),
    path("accounts/signup/", RedirectView.as_view(pattern_name="account_login")),
    path("accounts/set-up/<str:secret>/", accounts.set_up, name="set-up"),
    path("accounts/", include("allauth.urls")),
    path("metrics", metrics.metrics, name="metrics"),
    path("status.json", status.status_data, name="status"),
    *styleguide,
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
]
