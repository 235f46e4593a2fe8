# JupyterLab with the book, its notebooks and the data that they read, for a reader without a set-up. Binder takes this
# file, too: it wants a user of id 1000, files in the home folder, and no entry point.
#   docker build --tag nnbook .
#   docker run --rm --publish 8888:8888 nnbook
# On Linux torch brings 5 GB for GPUs; --build-arg PIP_EXTRA_INDEX_URL names an index that has it for CPUs alone.
FROM python:3.12-slim AS build
ARG PIP_EXTRA_INDEX_URL=
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git make \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 --create-home reader
USER 1000
WORKDIR /home/reader/nnbook
COPY --chown=reader . .
RUN make book \
 && rm -rf .git widgets/node_modules theme/node_modules

FROM python:3.12-slim
RUN useradd --uid 1000 --create-home reader
USER 1000
WORKDIR /home/reader/nnbook
COPY --from=build --chown=reader /home/reader/nnbook .
ENV HOME=/home/reader PATH=/home/reader/nnbook/.venv/bin:$PATH
EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser"]
