"""The language of a page."""

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


class WorkspaceLanguage(LocaleMiddleware):
    """The browser's language in the workspace. All other pages have one fixed language."""

    def process_request(self, request: HttpRequest) -> None:
        if request.path_info.startswith("/embedded/"):
            super().process_request(request)
        else:
            translation.activate(settings.LANGUAGE_CODE)
            request.LANGUAGE_CODE = settings.LANGUAGE_CODE
