# The images of the bench, made of unpacked Debian packages (parts.go) and wheels. Nothing is run here.
FROM scratch AS slim
ARG TARGETARCH
ADD slim-$TARGETARCH.tar /

# The base of an application's image: Debian without Python.
FROM slim AS base
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# The stand-in for pixi's own image: Debian with Python, py-rattler, and a small pixi.
FROM scratch AS pixi
ARG TARGETARCH
ADD full-$TARGETARCH.tar /
COPY wheels-$TARGETARCH /usr/lib/python3/dist-packages
COPY pixi /usr/local/bin/pixi
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# The generator of SBOMs.
FROM slim AS sbom
COPY sbom /sbom
ENTRYPOINT ["/sbom"]
