package buildx

import (
	"regexp"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/pixisays"
)

// remedies is a list of known failures. The first one that matches is used.
type remedies []remedy

// remedy describes a known failure: the pattern that matches it in the output, a summary, and the next step.
type remedy struct {
	says          func() *regexp.Regexp
	summary, next string
	gone          bool // the connection to a builder, or to one of its nodes, was lost
}

// stepFailed matches BuildKit's message for a failed RUN step.
var stepFailed = lazyregexp.New(`process ".*" did not complete successfully|executor failed running`) // BuildKit before 0.10 prints the second text

// inSteps are the remedies for failed steps. Their patterns match the output of the step's program (see unwrap). The last one matches anything.
var inSteps = remedies{
	{
		says:    lazyregexp.New(noSpace),
		summary: noSpaceSummary,
		next:    noSpaceNext,
	},
	{
		says:    lazyregexp.New(pixisays.LockNotUpToDate),
		summary: "the lock file does not match the manifest",
		next:    "run `mage lock`, and commit the lock file",
	},
	{
		says:    lazyregexp.New(pixisays.LockTooNew),
		summary: "the lock file was made by a newer pixi than the one that builds the image",
		next:    "build with the newer pixi (set PIXI_IMAGE, or change the Dockerfile), or run `mage lock` to write the lock file again",
	},
	{
		says:    lazyregexp.New(pixisays.OtherPixi),
		summary: "the manifest requires pixi $1, but pixi $2 builds the image",
		next:    "set PIXI_IMAGE to an image with the required pixi, or change the Dockerfile",
	},
	{
		says:    lazyregexp.New(pixisays.NoSubdir),
		summary: "a package channel does not exist, or this login may not read the channel",
		next:    "correct the name of the channel; to read a private channel, set RATTLER_AUTH_FILE",
	},
	{
		says:    lazyregexp.New(pixisays.Refused),
		summary: "a package channel refused a request from a step of the Dockerfile ($1)",
		next:    "set RATTLER_AUTH_FILE to a file with a login for that channel",
	},
	{
		says:    lazyregexp.New(pixisays.TooMany),
		summary: "a package channel allows no more requests for now (429)",
		next:    "wait, then run the same command again: the builder's cache has the downloaded packages",
	},
	{
		says:    lazyregexp.New(`exec format error`),
		summary: "a step runs a program for another platform",
		next:    "write FROM --platform=$BUILDPLATFORM for that stage, or install qemu's binfmt",
	},
	{
		says:    lazyregexp.New(``),
		summary: "a step of the Dockerfile failed",
	},
}

// noSpace matches messages about a full disk: in a step, while unpacking layers, or while writing an image.
const (
	noSpace        = `(?i)no space left on device|disk quota exceeded|\bENOSPC\b`
	noSpaceSummary = "there is no disk space left for the build"
	noSpaceNext    = "free disk space: run `docker buildx prune` on the builder; on this machine, delete images that were not pushed from output/"
)

// everywhere are the remedies for failures that can occur in any build. Their patterns match BuildKit's output.
var everywhere = remedies{
	{
		says:    lazyregexp.New(noSpace),
		summary: noSpaceSummary,
		next:    noSpaceNext,
	},
	{
		says:    lazyregexp.New(`: 407 |Proxy Authentication Required`),
		summary: "a proxy between the builder and a registry requires a name and a password (407)",
		next: "configure the name and the password: for a separate builder with `docker buildx create --driver-opt env.HTTPS_PROXY=http://NAME:PASSWORD@PROXY`, " +
			"for docker's own builder in the configuration of the engine; or have the registry allowed on the proxy",
	},
	{
		says:    lazyregexp.New(`docker-credential-([\w.-]+)`),
		summary: "docker's credential helper docker-credential-$1 cannot be used",
		next:    registry.NextForHelper,
	},
	{
		says:    lazyregexp.New(`(?i)(code = Unavailable|error reading from server|closing transport|failed to list workers|No such container: buildx_buildkit)`),
		summary: "the builder BUILDER is gone",
		gone:    true,
		next:    "check with `docker buildx ls` that all nodes of the builder run, then run the same command again",
	},
}

// `known` are the remedies for all other failures of an image build. Those for reading a layer precede those for a push, because both match the
// same refusals.
var known = remedies{
	{
		says:    lazyregexp.New(`additional privileges requested`),
		summary: "buildx asks for permission to read files that the build needs",
		next:    "run the same command in the workspace, or update buildx",
	},
	{
		says:    lazyregexp.New(`unknown flag: --allow|unknown entitlement`),
		summary: "this buildx is too old",
		next:    "update buildx to 0.19 or later",
	},
	{
		says:    lazyregexp.New(`(?i)failed to resolve source metadata for \S*(syft|sbom|scanner)`),
		summary: "the image that makes the SBOM cannot be pulled",
		next:    "copy that image to a mirror, and set BUILDKIT_SBOM_GENERATOR to the mirror, or to off",
	},
	{
		says:    lazyregexp.New(`failed to resolve source metadata for (\S*/dockerfile(?:-upstream)?[:@]\S+):`),
		summary: "the image $1 of the Dockerfile's `# syntax=` line cannot be pulled",
		next:    "remove the `# syntax=` line from the Dockerfile, because BuildKit does not need this line; or name an image of a mirror in the line",
	},
	{
		says:    lazyregexp.New(`failed to resolve source metadata for (\S+):`),
		summary: "the base image $1 cannot be pulled",
		next:    "check that the image exists; if the image is private, log in; or set PIXI_IMAGE and BASE_IMAGE to images of a mirror",
	},
	{
		says:    lazyregexp.New(`(?i)(?:httpReadSeeker: failed open|unexpected status (?:code|from GET request to)) .*?https?://([^/\s]+)/v2/(\S+?)/blobs/\S+: (40[13])`),
		summary: "a layer of $1/$2, on which the image is based, cannot be pulled ($3)",
		next:    "log in to the registry of that image, or check the proxy before the registry; or " + nextForLayers,
	},
	{
		says:    lazyregexp.New(`(?i)(?:httpReadSeeker: failed open|unexpected status (?:code|from GET request to)) .*?https?://([^/\s]+)/v2/(\S+?)/blobs/\S+: (429)`),
		summary: "a layer of $1/$2, on which the image is based, cannot be pulled ($3)",
		next:    "wait, or log in to the registry of that image, which may allow more requests; or " + nextForLayers,
	},
	{
		says:    lazyregexp.New(`(?i)(?:httpReadSeeker: failed open|unexpected status (?:code|from GET request to)) .*?https?://([^/\s]+)/v2/(\S+?)/blobs/\S+: (\d+)`),
		summary: "a layer of $1/$2, on which the image is based, cannot be pulled ($3)",
		next:    "run the same command again, and check that the registry of that image works; or " + nextForLayers,
	},
	{
		says:    lazyregexp.New(`(?i)httpReadSeeker: failed open|/blobs/sha256:[0-9a-f]+"?: unexpected status from GET`),
		summary: "a layer of a base image cannot be pulled",
		next:    "check that the registry of that image can be reached, then run the same command again; or " + nextForLayers,
	},
	{
		says:    lazyregexp.New(`(?i)(multi-platform build is not supported|(oci exporter|attestation|push-by-digest|cache export)\S* is not supported|not supported for the docker driver)`),
		summary: "docker's own builder cannot build multi-platform images or attestations",
		next:    makeBuilder,
	},
}

// pushes are the remedies for a failed push that does not match `known`.
var pushes = remedies{
	{
		says:    lazyregexp.New(`(?i)\b413 (Request Entity|Payload|Content) Too Large`),
		summary: "a layer is too large for the registry, or for a proxy before it (413)",
		next:    "raise the size limit for uploads (in nginx, client_max_body_size), or make smaller layers",
	},
	{
		says:    lazyregexp.New(`(?i)(quota|storage (limit|resource)|configured upper limit|507 Insufficient Storage)`),
		summary: "the registry has no room for the image, because its quota is used up",
		next:    "remove old images from the registry, or ask for a higher quota",
	},
	{
		says:    lazyregexp.New(`(?i)(415 Unsupported Media Type|manifest[ _]invalid)`),
		summary: "the registry does not accept an index of images with attestations",
		next:    "update the registry, or push to a registry that accepts OCI image indexes",
	},
	{
		says:    lazyregexp.New(`(?i)(401 Unauthorized|403 Forbidden|authorization failed|unauthorized: |denied: |no basic auth credentials|insufficient_scope)`),
		summary: "the registry refused the upload",
		next:    "log in with LOGIN; in a workflow, the job needs `packages: write`",
	},
	{
		says:    lazyregexp.New(`(?i)(429 Too Many Requests|toomanyrequests)`),
		summary: "the registry allows no more requests for now (429)",
		next:    "wait, then run the same command again: uploaded layers are not sent again",
	},
	{
		says:    lazyregexp.New(`(?i)(failed to (push|copy)|unexpected status from (PUT|POST|HEAD|PATCH) request|failed to do request: (Put|Post|Head|Patch))`),
		summary: "the upload to the registry failed",
		next:    "run the same command again: uploaded layers are not sent again",
	},
}

// readBack are the remedies for a builder that cannot read a pushed image.
var readBack = remedies{
	{
		says:    lazyregexp.New(`(?i)(401 Unauthorized|403 Forbidden|authorization failed|unauthorized: |denied: |no basic auth credentials|insufficient_scope)`),
		summary: "the registry does not let the builder read the image",
		next:    "log in with LOGIN",
	},
	{
		says:    lazyregexp.New(`(?i)(429 Too Many Requests|toomanyrequests)`),
		summary: "the registry allows no more requests for now (429)",
		next:    "wait, then run the same command again",
	},
	{
		says:    lazyregexp.New(`(?i): 50\d |\bEOF\b|connection reset by peer|i/o timeout|no such host|connection refused`),
		summary: "the builder could not reach the registry",
		next:    "run the same command again; if that does not help, check that the registry works, and that the builder can reach the registry",
	},
	{
		says:    lazyregexp.New(`failed to resolve source metadata for`),
		summary: "the builder cannot find the image in the registry",
		next:    "run the same command again: a registry of several nodes may show the image later",
	},
}

// nextForLayers is the next step for layers that cannot be read.
const nextForLayers = "set PIXI_IMAGE and BASE_IMAGE to images of a mirror"
