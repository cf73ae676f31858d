"""Which language a page speaks."""

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


class WorkspaceLanguage(LocaleMiddleware):
    """The browser's in the workspace. All other pages are written in one, and say so."""

    def process_request(self, request: HttpRequest) -> None:
        if request.path_info.startswith("/embedded/"):
            super().process_request(request)
        else:
            translation.activate(settings.LANGUAGE_CODE)
            request.LANGUAGE_CODE = settings.LANGUAGE_CODE
