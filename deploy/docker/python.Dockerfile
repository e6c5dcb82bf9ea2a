# One image a service in Python: docker build -f deploy/docker/python.Dockerfile --build-arg SERVICE=wishlist -t wishlist .
# One that is there in two languages has its program in a folder:
# --build-arg FOLDER=services/email/python --build-arg MODULE=email_service

FROM python:3.13-slim AS packages
COPY mesh/python/requirements.txt /
RUN pip install --no-cache-dir --no-compile --target /packages -r /requirements.txt

FROM python:3.13-slim
ARG SERVICE
ARG FOLDER=services/${SERVICE}
ARG MODULE
WORKDIR /app
COPY --from=packages /packages packages
COPY gen/python gen/python
COPY mesh/python mesh/python
COPY ${FOLDER} service
# The module of a service is its name in snake case and "_service".
RUN module="${MODULE:-$(echo "$SERVICE" | tr - _)_service}" && test -f "service/$module/__main__.py" && echo "$module" > module
ENV PYTHONPATH=/app/packages:/app/gen/python:/app/mesh/python:/app/service PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["sh", "-c", "exec python -m \"$(cat module)\""]
