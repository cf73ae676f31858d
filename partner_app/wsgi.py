"""The WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

from partner_app.core import tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_app.settings")
application = get_wsgi_application()
tracing.start("web")
