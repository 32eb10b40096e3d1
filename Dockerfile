# The validator as an image: docker build -t xnai-validate .
# Run it within the network of the stack, with a read-only root file system:
#   docker run --rm --read-only --tmpfs /tmp --network shop_default -v "$PWD:/project:ro" -v xnai-state:/state \
#     xnai-validate run shop --wait 60s
# Another base, of a registry of one's own for example, needs Python 3.11 or later as `python`, and venv: --build-arg BASE=...
ARG BASE=python:3.13-slim
FROM ${BASE} AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/xnai-validate \
    && /opt/xnai-validate/bin/pip install --no-cache-dir '.[all,serve,notify,otel,fast]' \
    && /opt/xnai-validate/bin/pip uninstall --yes pip setuptools

FROM ${BASE}
COPY --from=build /opt/xnai-validate /opt/xnai-validate
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin validator \
    && install --directory --owner 10001 --mode 0700 /state
ENV PATH=/opt/xnai-validate/bin:$PATH HOME=/tmp XNAI_VALIDATE_STATE=/state \
    XNAI_VALIDATE_IMAGE=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /project
VOLUME /state
HEALTHCHECK --interval=1m --timeout=50s --start-period=2m CMD ["xnai-validate", "run", "preflight", "--quiet"]
ENTRYPOINT ["xnai-validate"]
CMD ["--help"]
