package settings

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Image is the [tool.image] table of a downstream, which pixi ignores. It describes the image that is built from the downstream
// by the Dockerfile beside the downstream's manifest.
type Image struct {
	Name      string   `json:"name"`      // name of the image, without registry and owner; default: the downstream's name
	Platforms []string `json:"platforms"` // OCI platforms of the image; default ["linux/amd64"]
	Registry  string   `json:"registry"`  // registry and owner, such as "ghcr.io/someone"; default: ghcr.io and the owner of the git remote
	Check     []string `json:"check"`     // command that the image's entry point runs to prove the image; default: the command of the task "check"
	Cache     string   `json:"cache"`     // cache for short-lived builders: "none", or "registry", which keeps the cache beside the image; default "none"

	// Publish is who builds and pushes the image of a delivered commit: "ci" or "here"; default "here".
	Publish string `json:"publish,omitempty"`

	// Workflow is the file name of the CI workflow that builds, pushes and deploys the image; default: every workflow that a push starts.
	Workflow string `json:"workflow,omitempty"`

	// CheckTimeout is the time limit of the check on each platform, such as "15m"; default "10m".
	CheckTimeout time.Duration `json:"check-timeout,omitempty"`

	// SSH lets build steps that mount an SSH agent use the agent of the user who builds; default false.
	SSH bool `json:"ssh,omitempty"`

	// Secrets are environment variables that build steps may mount as secrets of the same name. Each variable must be named like a secret,
	// such as MY_TOKEN, so that its value is hidden in output; default: none.
	Secrets []string `json:"secrets,omitempty"`

	// RewriteTimestamp lets BuildKit limit the times of all files that the build adds to the time of the commit, so that the same
	// sources give the same bytes. This costs as much time as compressing the layers again. Set it to false if the Dockerfile
	// itself gives its files fixed times. Default true.
	RewriteTimestamp bool `json:"rewrite-timestamp"`

	Pos manifest.Pos `json:"-"` // of the table
}

// GitHubRegistry is the host of GitHub's container registry.
const GitHubRegistry = "ghcr.io"

// Host returns the registry host, parsed as docker does. It defaults to GitHub's registry.
func (i *Image) Host() string {
	host, _, _ := strings.Cut(i.Registry, "/")
	switch {
	case i.Registry == "":
		return GitHubRegistry
	case strings.ContainsAny(host, ".:") || host == "localhost":
		return host
	}
	return "docker.io"
}

// The values of Image.Cache.
const (
	CacheNone     = "none"
	CacheRegistry = "registry" // beside the image, one for each platform
)

// imageTask is the default task for checking an image.
const imageTask = "check"

// ReadImage reads [tool.image] in a downstream's manifest. It returns nil if there is none.
func ReadImage(s *manifest.File, m *manifest.Manifest) *Image {
	refuseMisspelt(s, "image", "deploy")
	n := s.Doc.Root.Get("tool", "image")
	if n == nil || !s.Want(n, tomledit.Table) {
		return nil
	}
	i := &Image{Name: m.Name, Platforms: []string{"linux/amd64"}, Check: commandOf(m, imageTask), Cache: CacheNone, RewriteTimestamp: true, Pos: s.Pos(n)}
	read := map[string]func(e *tomledit.Node){
		"name":              func(e *tomledit.Node) { i.Name = s.Str(e) },
		"registry":          func(e *tomledit.Node) { i.Registry = s.Str(e) },
		"platforms":         func(e *tomledit.Node) { i.Platforms = s.Strs(e) },
		"check":             func(e *tomledit.Node) { i.Check = s.Strs(e) },
		"check-timeout":     func(e *tomledit.Node) { i.CheckTimeout = readDuration(s, e) },
		"ssh":               func(e *tomledit.Node) { i.SSH = s.Bool(e) },
		"secrets":           func(e *tomledit.Node) { i.Secrets = readSecrets(s, e) },
		"publish":           func(e *tomledit.Node) { i.Publish = s.Str(e) },
		"workflow":          func(e *tomledit.Node) { i.Workflow = readWorkflow(s, e) },
		"cache":             func(e *tomledit.Node) { i.Cache = s.Str(e) },
		"rewrite-timestamp": func(e *tomledit.Node) { i.RewriteTimestamp = s.Bool(e) },
	}
	var keys []string
	for k := range read {
		keys = append(keys, k)
	}
	for _, e := range n.Children {
		if set, ok := read[e.Key]; ok {
			set(e)
		} else {
			s.FailKey(e, "[tool.image]", keys)
		}
	}
	checkValue(s, n.Get("cache"), CacheNone, CacheRegistry)
	checkValue(s, n.Get("publish"), PublishCI, PublishHere)
	if platforms := n.Get("platforms"); platforms != nil {
		checkPlatforms(s, platforms, m)
	} else {
		checkPlatform(s, n, i.Platforms[0], m)
	}
	return i
}

// fileOfWorkflow matches file names in .github/workflows.
var fileOfWorkflow = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*\.ya?ml$`)

func readWorkflow(s *manifest.File, n *tomledit.Node) string {
	name := s.Str(n)
	if !fileOfWorkflow.MatchString(name) {
		s.Fail(n, `write only the name of the file in .github/workflows, such as "publish-app.yml"`, "workflow cannot be %q", name)
	}
	return name
}

// readSecrets reads the names of the variables that a build may use.
func readSecrets(s *manifest.File, n *tomledit.Node) (names []string) {
	for i, name := range s.Strs(n) {
		switch {
		case failKey(s, n.Children[i], n.Key):
		case !variable.MatchString(name):
			s.Fail(n.Children[i], `name each variable: secrets = ["MY_TOKEN"]`, "secrets cannot have %q", name)
		case command.Publishes(name):
			s.Fail(n.Children[i], "give the build a separate key, with another name", "secrets cannot have %q: this variable allows publishing", name)
		case slices.Contains(GivenSecrets, name):
			s.Fail(n.Children[i], "remove the name", "secrets cannot have %q: a build gets that file if the file exists", name)
		case !command.Secret(name):
			s.Fail(n.Children[i], "name the variable as a secret, such as MY_TOKEN or MY_PASSWORD: the values of variables with these names are hidden in output, and the image is searched for them", "secrets cannot have %q", name)
		default:
			names = append(names, name)
		}
	}
	return names
}

// GivenSecrets lists the ids of files that every build may mount if they exist.
var GivenSecrets = []string{"PIXI_CONFIG", "RATTLER_AUTH_FILE"}

// readDuration reads a positive duration in Go syntax: "90s", "15m".
func readDuration(s *manifest.File, n *tomledit.Node) time.Duration {
	if !s.Want(n, tomledit.String) {
		return 0
	}
	text := n.Text()
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		s.Fail(n, `write a duration such as "90s" or "15m"`, "%q is not a duration", text)
		return 0
	}
	return d
}

// checkPlatforms rejects an empty list, and OCI platforms that the workspace does not support.
func checkPlatforms(s *manifest.File, n *tomledit.Node, m *manifest.Manifest) {
	for _, e := range n.Elements() {
		checkPlatform(s, e, e.Text(), m)
	}
	if len(n.Elements()) == 0 {
		s.Fail(n, "name a platform, such as linux/amd64", "the image has no platform")
	}
}

// checkPlatform rejects an OCI platform that the workspace does not support. `at` is the node for the error: the table, if the
// platform is the default.
func checkPlatform(s *manifest.File, at *tomledit.Node, platform string, m *manifest.Manifest) {
	subdir, ok := Subdir(platform)
	switch {
	case !ok:
		s.Fail(at, "write linux/amd64 or linux/arm64", "conda has no platform for %q", platform)
	case slices.Contains(m.Platforms, subdir):
	case at.Is(tomledit.Table):
		s.FailAt(s.Pos(at), "name other platforms in platforms of [tool.image], or add "+subdir+" to platforms of [workspace]",
			"the image is built for %s by default, but platforms of [workspace] does not have %s", platform, subdir)
	default:
		s.Fail(at, "add the platform to platforms of [workspace]", "the image is built for %s, but platforms of [workspace] does not have %s", platform, subdir)
	}
}

// subdirs maps the OCI platforms that images can be built for to conda subdirs.
var subdirs = map[string]string{"linux/amd64": "linux-64", "linux/arm64": "linux-aarch64", "linux/ppc64le": "linux-ppc64le"}

// Subdir returns the conda subdir for an OCI platform.
func Subdir(platform string) (subdir string, ok bool) {
	subdir, ok = subdirs[platform]
	return subdir, ok
}

// commandOf returns an argv that runs the command of a task in the default feature in a shell. It returns nil if there is no such task, or if the
// task depends on pixi features: a working directory, variables, arguments, or a platform.
func commandOf(m *manifest.Manifest, task string) []string {
	for _, f := range m.Features {
		for _, t := range f.Targets {
			for _, candidate := range t.Tasks {
				if f.Name == manifest.DefaultFeature && candidate.Name == task && isPlain(candidate) {
					return []string{"sh", "-c", candidate.Cmd}
				}
			}
		}
	}
	return nil
}

// isPlain reports whether a plain shell can run the task's command.
func isPlain(t *manifest.Task) bool {
	return strings.TrimSpace(t.Cmd) != "" && t.Cwd == "" && t.Target == "" && len(t.Env) == 0 && len(t.Args) == 0 && !strings.Contains(t.Cmd, "{{")
}
