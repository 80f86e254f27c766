package buildx

import (
	"regexp"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/pixisays"
)

// remedies are failures that are known, by what is said, and what to do about each. The first that fits is taken.
type remedies []remedy

// remedy is one of them.
type remedy struct {
	says          func() *regexp.Regexp
	summary, next string
	gone          bool // the connection to a builder ended, and it may be that of one of its nodes
}

// stepFailed is what BuildKit says where a RUN of the Dockerfile ended the build.
var stepFailed = lazyregexp.New(`process ".*" did not complete successfully|executor failed running`) // the second before BuildKit 0.10

// inSteps are those of steps, by what their programs say (see unwrap); the last fits all.
var inSteps = remedies{
	{
		says:    lazyregexp.New(noSpace),
		summary: noSpaceSummary,
		next:    noSpaceNext,
	},
	{
		says:    lazyregexp.New(pixisays.LockNotUpToDate),
		summary: "the lock file does not fit the manifest",
		next:    "run `mage lock`, and commit it",
	},
	{
		says:    lazyregexp.New(pixisays.LockTooNew),
		summary: "the lock file was made by a newer pixi than the one that builds the image",
		next:    "build with that one (PIXI_IMAGE, or the Dockerfile), or make the lock file anew: `mage lock`",
	},
	{
		says:    lazyregexp.New(pixisays.OtherPixi),
		summary: "the manifest requires pixi $1, and $2 builds the image",
		next:    "name an image that has it by PIXI_IMAGE, or in the Dockerfile",
	},
	{
		says:    lazyregexp.New(pixisays.NoSubdir),
		summary: "a package channel is not there, or not for this login",
		next:    "correct its name; a private channel is read with RATTLER_AUTH_FILE",
	},
	{
		says:    lazyregexp.New(pixisays.Refused),
		summary: "a package channel refuses what a step of the Dockerfile asks for ($1)",
		next:    "set RATTLER_AUTH_FILE to a file with a login for that channel",
	},
	{
		says:    lazyregexp.New(pixisays.TooMany),
		summary: "a package channel allows no more requests for now (429)",
		next:    "wait, and run it again: what was fetched is in the builder's cache",
	},
	{
		says:    lazyregexp.New(`exec format error`),
		summary: "a step runs a program of another platform",
		next:    "let that stage run on $BUILDPLATFORM, or install qemu's binfmt",
	},
	{
		says:    lazyregexp.New(``),
		summary: "a step of the Dockerfile failed",
	},
}

// noSpace is what systems say of a full disk, wherever it is: in a step, while layers are unpacked, or where an image is written.
const (
	noSpace        = `(?i)no space left on device|disk quota exceeded|\bENOSPC\b`
	noSpaceSummary = "there is no space left for the build"
	noSpaceNext    = "make room: `docker buildx prune` on the builder; on this machine, what is not pushed is kept in output/"
)

// everywhere are those that may end any build, by what BuildKit says.
var everywhere = remedies{
	{
		says:    lazyregexp.New(noSpace),
		summary: noSpaceSummary,
		next:    noSpaceNext,
	},
	{
		says:    lazyregexp.New(`: 407 |Proxy Authentication Required`),
		summary: "a proxy between the builder and a registry wants a name and a password (407)",
		next: "give them to what fetches: a builder of its own by `docker buildx create --driver-opt env.HTTPS_PROXY=http://NAME:PASSWORD@PROXY`, " +
			"the engine by its own configuration; or have the proxy let that registry through",
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
		next:    "see with `docker buildx ls` whether all of its nodes are there, and run it again",
	},
}

// known are those of all else in the build of an image. What was asked for comes first (a layer that is read is nothing that is pushed),
// and then how it was refused.
var known = remedies{
	{
		says:    lazyregexp.New(`additional privileges requested`),
		summary: "buildx asks a person whether it may read what the build needs",
		next:    "run it from the workspace, or update buildx",
	},
	{
		says:    lazyregexp.New(`unknown flag: --allow|unknown entitlement`),
		summary: "this buildx is too old",
		next:    "update it to 0.19 or later",
	},
	{
		says:    lazyregexp.New(`(?i)failed to resolve source metadata for \S*(syft|sbom|scanner)`),
		summary: "the image that makes the SBOM cannot be had",
		next:    "mirror it and set BUILDKIT_SBOM_GENERATOR to the mirror, or to off",
	},
	{
		says:    lazyregexp.New(`failed to resolve source metadata for (\S*/dockerfile(?:-upstream)?[:@]\S+):`),
		summary: "the image $1 of the Dockerfile's own syntax cannot be had",
		next:    "take the line `# syntax=` out of the Dockerfile: BuildKit reads one without it, or name a mirror there",
	},
	{
		says:    lazyregexp.New(`failed to resolve source metadata for (\S+):`),
		summary: "the base image $1 cannot be had",
		next:    "see whether it is there, log in where it is private, or set PIXI_IMAGE and BASE_IMAGE to a mirror",
	},
	{
		says:    lazyregexp.New(`(?i)(?:httpReadSeeker: failed open|unexpected status (?:code|from GET request to)) .*?https?://([^/\s]+)/v2/(\S+?)/blobs/\S+: (40[13])`),
		summary: "a layer of $1/$2, which the image is built on, cannot be had ($3)",
		next:    "see that its registry, or a proxy before it, lets you read it: log in there, or " + nextForLayers,
	},
	{
		says:    lazyregexp.New(`(?i)(?:httpReadSeeker: failed open|unexpected status (?:code|from GET request to)) .*?https?://([^/\s]+)/v2/(\S+?)/blobs/\S+: (429)`),
		summary: "a layer of $1/$2, which the image is built on, cannot be had ($3)",
		next:    "wait, or log in there, which may allow more; or " + nextForLayers,
	},
	{
		says:    lazyregexp.New(`(?i)(?:httpReadSeeker: failed open|unexpected status (?:code|from GET request to)) .*?https?://([^/\s]+)/v2/(\S+?)/blobs/\S+: (\d+)`),
		summary: "a layer of $1/$2, which the image is built on, cannot be had ($3)",
		next:    "run it again, and see whether its registry is well; or " + nextForLayers,
	},
	{
		says:    lazyregexp.New(`(?i)httpReadSeeker: failed open|/blobs/sha256:[0-9a-f]+"?: unexpected status from GET`),
		summary: "a layer of an image that this one is built on cannot be had",
		next:    "see whether its registry can be reached, and run it again; or " + nextForLayers,
	},
	{
		says:    lazyregexp.New(`(?i)(multi-platform build is not supported|(oci exporter|attestation|push-by-digest|cache export)\S* is not supported|not supported for the docker driver)`),
		summary: "this builder cannot make such images: it is the engine's own",
		next:    makeBuilder,
	},
}

// pushes are those of a push, where it is none of known.
var pushes = remedies{
	{
		says:    lazyregexp.New(`(?i)\b413 (Request Entity|Payload|Content) Too Large`),
		summary: "a layer is too large for the registry, or for a proxy before it (413)",
		next:    "have it take more at a time (client_max_body_size, in nginx), or make layers that are smaller",
	},
	{
		says:    lazyregexp.New(`(?i)(quota|storage (limit|resource)|configured upper limit|507 Insufficient Storage)`),
		summary: "the registry has no room for the image: it has a quota",
		next:    "remove images there that nobody needs, or have the quota raised",
	},
	{
		says:    lazyregexp.New(`(?i)(415 Unsupported Media Type|manifest[ _]invalid)`),
		summary: "the registry does not take an index of images with attestations",
		next:    "update it, or push to one that takes OCI's indexes",
	},
	{
		says:    lazyregexp.New(`(?i)(401 Unauthorized|403 Forbidden|authorization failed|unauthorized: |denied: |no basic auth credentials|insufficient_scope)`),
		summary: "the registry refuses the upload",
		next:    "log in: LOGIN; in a workflow the job needs `packages: write`",
	},
	{
		says:    lazyregexp.New(`(?i)(429 Too Many Requests|toomanyrequests)`),
		summary: "the registry allows no more requests for now (429)",
		next:    "wait, and run it again: layers that arrived are not sent again",
	},
	{
		says:    lazyregexp.New(`(?i)(failed to (push|copy)|unexpected status from (PUT|POST|HEAD|PATCH) request|failed to do request: (Put|Post|Head|Patch))`),
		summary: "the upload to the registry failed",
		next:    "run it again: layers that arrived are not sent again",
	},
}

// readBack are those of an image that was pushed, and is read by the builder.
var readBack = remedies{
	{
		says:    lazyregexp.New(`(?i)(401 Unauthorized|403 Forbidden|authorization failed|unauthorized: |denied: |no basic auth credentials|insufficient_scope)`),
		summary: "the registry does not let the builder read the image",
		next:    "log in: LOGIN",
	},
	{
		says:    lazyregexp.New(`(?i)(429 Too Many Requests|toomanyrequests)`),
		summary: "the registry allows no more requests for now (429)",
		next:    "wait, and run it again",
	},
	{
		says:    lazyregexp.New(`(?i): 50\d |\bEOF\b|connection reset by peer|i/o timeout|no such host|connection refused`),
		summary: "the builder could not reach the registry",
		next:    "run it again; where that does not help, see whether the registry is well, and can be reached from the builder",
	},
	{
		says:    lazyregexp.New(`failed to resolve source metadata for`),
		summary: "the builder does not find the image in the registry",
		next:    "run it again: a registry of several nodes may show it later",
	},
}

// nextForLayers is what to do about layers that are read.
const nextForLayers = "let PIXI_IMAGE and BASE_IMAGE name a mirror"
