#!/bin/sh
# A generator of SBOMs for BuildKit (docs/attestations/sbom-protocol.md): writes an in-toto statement with an SPDX document that names the conda
# packages of the image.
set -eu
packages=""
for record in $(find "$BUILDKIT_SCAN_SOURCE" -path '*/conda-meta/*.json' | sort); do
	name=$(basename "$record" .json)
	packages="$packages${packages:+,}{\"SPDXID\":\"SPDXRef-$name\",\"name\":\"$name\",\"downloadLocation\":\"NOASSERTION\"}"
done
cat > "$BUILDKIT_SCAN_DESTINATION/bench.spdx.json" <<END
{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","predicate":{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"bench","packages":[$packages]}}
END
