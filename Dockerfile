# Two stages: browser libraries and wheels are made in the first, only what runs is in the second.
FROM node:20-bookworm-slim AS assets
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM python:3.12-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements/base.txt requirements/base.txt
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements/base.txt
COPY LICENSE manage.py pyproject.toml ./
COPY partner_app partner_app
COPY integrations integrations
COPY templates templates
COPY static static
COPY docs/users docs/users
COPY docs/images docs/images
COPY tests/check.env check.env
COPY --from=assets /build/node_modules/@procore/procore-iframe-helpers/dist/index.min.js .data/vendor/procore-iframe-helpers.js
COPY --from=assets /build/node_modules/chart.js/dist/chart.umd.min.js .data/vendor/chart.js
COPY locale locale
COPY --from=assets /build/node_modules/dejavu-fonts-ttf/ttf/DejaVuSans.ttf /build/node_modules/dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf .data/fonts/
RUN sed -i '/sourceMappingURL/d' .data/vendor/chart.js && pybabel --quiet compile --directory locale --domain django \
    && set -a && . ./check.env && python manage.py collectstatic --noinput --ignore ext && rm check.env \
    && useradd --system --uid 10001 tieback
USER 10001
EXPOSE 8000
CMD ["python", "-m", "partner_app.core.web_server", "--host", "0.0.0.0", "--port", "8000"]
