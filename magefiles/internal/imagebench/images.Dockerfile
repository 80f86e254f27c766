# The images of the bench, out of unpacked Debian packages (tree.go) and wheels. Nothing is run here.
FROM scratch AS slim
ARG TARGETARCH
ADD slim-$TARGETARCH.tar /

# What an application's image is built on: Debian without Python.
FROM slim AS base
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# What stands for pixi's own image: Debian with Python, py-rattler, and a small pixi.
FROM scratch AS pixi
ARG TARGETARCH
ADD full-$TARGETARCH.tar /
COPY wheels-$TARGETARCH /usr/lib/python3/dist-packages
COPY pixi /usr/local/bin/pixi
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# What makes an SBOM.
FROM slim AS sbom
COPY sbom /sbom
ENTRYPOINT ["/sbom"]
