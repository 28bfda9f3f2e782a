# One image for every role: gateway, worker, notifier, simnet, migrate, wallet.
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml setup.py constraints.txt README.md LICENSE ./
COPY orderd orderd
COPY orderctl orderctl
COPY db db
# docker build --build-arg SOURCE_COMMIT=$(git rev-parse HEAD): the commit in the version output.
ARG SOURCE_COMMIT=
RUN python -m venv /opt/orderd \
    && /opt/orderd/bin/pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt '.[alerts]'

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/orderd --create-home orderd \
    && chmod 0700 /var/lib/orderd \
    && install -d --owner orderd --mode 0755 /run/address
COPY --from=build /opt/orderd /opt/orderd
ENV PATH=/opt/orderd/bin:$PATH PYTHONUNBUFFERED=1 ORDERD_STATE_DIR=/var/lib/orderd
USER orderd
WORKDIR /var/lib/orderd
VOLUME /var/lib/orderd
ENTRYPOINT ["orderd"]
CMD ["run"]
