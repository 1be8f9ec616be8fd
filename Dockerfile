# syntax=docker/dockerfile:1
FROM python:3.11-slim AS build
WORKDIR /build
RUN python -m venv /opt/fhir-app
COPY requirements.lock ./
RUN /opt/fhir-app/bin/python -m pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY questionnaires ./questionnaires
COPY fhir_app ./fhir_app
RUN /opt/fhir-app/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
# What WeasyPrint draws a PDF leaflet with
RUN apt-get update \
 && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/fhir-app --create-home fhir-app
COPY --from=build /opt/fhir-app /opt/fhir-app
ENV PATH=/opt/fhir-app/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FHIR_APP_HOST=0.0.0.0 \
    FHIR_APP_PORT=8000 \
    FHIR_APP_DATABASE_URL=sqlite:////var/lib/fhir-app/fhir-app.db
USER fhir-app
WORKDIR /var/lib/fhir-app
VOLUME /var/lib/fhir-app
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['FHIR_APP_PORT'] + '/readyz', timeout=2)"]
CMD ["fhir-app", "serve"]
