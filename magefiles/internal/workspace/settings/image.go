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

// Image is the [tool.image] table of a downstream, which pixi ignores: the image that is made of the downstream, by the
// Dockerfile beside its manifest.
type Image struct {
	Name      string   `json:"name"`      // name of the image, without registry and owner; default: the downstream's name
	Platforms []string `json:"platforms"` // platforms of OCI; default ["linux/amd64"]
	Registry  string   `json:"registry"`  // registry with the owner, such as "ghcr.io/someone"; default: ghcr.io and the owner of the git remote
	Check     []string `json:"check"`     // argv that the image's entry point runs to prove it; default: the command of the task "check"
	Cache     string   `json:"cache"`     // cache of builders that do not live long: "none", or "registry", beside the image; default "none"

	// Publish is who makes and pushes the image of a commit that is delivered: "ci" or "here"; default "here".
	Publish string `json:"publish,omitempty"`

	// Workflow is the file name of the workflow that does it, and that deploys what it has made, where a CI does; default: each that a push starts.
	Workflow string `json:"workflow,omitempty"`

	// CheckTimeout is how long the check may take on each platform, such as "15m"; default "10m".
	CheckTimeout time.Duration `json:"check-timeout,omitempty"`

	// SSH lends the SSH agent of whoever builds to steps that mount one; default false.
	SSH bool `json:"ssh,omitempty"`

	// Secrets are variables of the environment that steps may mount, each as the secret of its name. They are called what secrets are
	// called, such as MY_TOKEN, so that they are hidden in what people see; default: none.
	Secrets []string `json:"secrets,omitempty"`

	// RewriteTimestamp lets BuildKit give every file that the build adds a time no later than the commit's, so that the same
	// sources give the same bytes. It costs as much as compressing the layers again: a Dockerfile that gives its files fixed
	// times by itself sets it to false. Default true.
	RewriteTimestamp bool `json:"rewrite-timestamp"`

	Pos manifest.Pos `json:"-"` // of the table
}

// GitHubRegistry is GitHub's own registry.
const GitHubRegistry = "ghcr.io"

// Host is the host of the registry, as docker reads it; that of GitHub where none is configured.
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

// imageTask is the task whose command proves an image, unless the table says otherwise.
const imageTask = "check"

// ReadImage reads [tool.image] of a downstream's manifest; nil where there is none.
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

// fileOfWorkflow is the name of a file in .github/workflows.
var fileOfWorkflow = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*\.ya?ml$`)

func readWorkflow(s *manifest.File, n *tomledit.Node) string {
	name := s.Str(n)
	if !fileOfWorkflow.MatchString(name) {
		s.Fail(n, `name the file in .github/workflows alone, such as "publish-app.yml"`, "workflow cannot be %q", name)
	}
	return name
}

// readSecrets reads the names of variables that a build may have.
func readSecrets(s *manifest.File, n *tomledit.Node) (names []string) {
	for i, name := range s.Strs(n) {
		switch {
		case failKey(s, n.Children[i], n.Key):
		case !variable.MatchString(name):
			s.Fail(n.Children[i], `name each variable: secrets = ["MY_TOKEN"]`, "secrets cannot have %q", name)
		case command.Publishes(name):
			s.Fail(n.Children[i], "give the build a key of its own, by another name", "secrets cannot have %q: whoever has it may publish", name)
		case slices.Contains(GivenSecrets, name):
			s.Fail(n.Children[i], "leave it out", "secrets cannot have %q: a build is given that file where there is one", name)
		case !command.Secret(name):
			s.Fail(n.Children[i], "call it as secrets are called, such as MY_TOKEN or MY_PASSWORD: by that it is hidden in what people see, and looked for in the image", "secrets cannot have %q", name)
		default:
			names = append(names, name)
		}
	}
	return names
}

// GivenSecrets are the ids of the files that every build may mount, where there are such.
var GivenSecrets = []string{"PIXI_CONFIG", "RATTLER_AUTH_FILE"}

// readDuration reads a time that is longer than none, as Go writes it: "90s", "15m".
func readDuration(s *manifest.File, n *tomledit.Node) time.Duration {
	if !s.Want(n, tomledit.String) {
		return 0
	}
	text := n.Text()
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		s.Fail(n, `write it as "90s" or "15m"`, "%q is not a time", text)
		return 0
	}
	return d
}

// checkPlatforms refuses a list of none, and those of OCI for which there is no environment.
func checkPlatforms(s *manifest.File, n *tomledit.Node, m *manifest.Manifest) {
	for _, e := range n.Elements() {
		checkPlatform(s, e, e.Text(), m)
	}
	if len(n.Elements()) == 0 {
		s.Fail(n, "name one, such as linux/amd64", "the image is made for no platform")
	}
}

// checkPlatform refuses a platform of OCI for which there is no environment. at is where it stands; for the default one, which
// stands nowhere, it is the table.
func checkPlatform(s *manifest.File, at *tomledit.Node, platform string, m *manifest.Manifest) {
	subdir, ok := Subdir(platform)
	switch {
	case !ok:
		s.Fail(at, "write linux/amd64 or linux/arm64", "no conda platform is known for %q", platform)
	case slices.Contains(m.Platforms, subdir):
	case at.Is(tomledit.Table):
		s.FailAt(s.Pos(at), "name others in platforms of [tool.image], or add "+subdir+" to platforms of [workspace]",
			"the image is made for %s unless its table names platforms, and the workspace is not made for %s", platform, subdir)
	default:
		s.Fail(at, "add it to platforms of [workspace]", "the image is to be made for %s, and the workspace is not made for %s", platform, subdir)
	}
}

// subdirs are conda's names of the platforms of OCI that images are made for.
var subdirs = map[string]string{"linux/amd64": "linux-64", "linux/arm64": "linux-aarch64", "linux/ppc64le": "linux-ppc64le"}

// Subdir is conda's name of a platform of OCI.
func Subdir(platform string) (subdir string, ok bool) {
	subdir, ok = subdirs[platform]
	return subdir, ok
}

// commandOf is what a task of the default feature runs, through a shell; nil where there is no such task, or only pixi can run
// it as it is meant: in another folder, with variables or arguments, or on some platforms alone.
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

// isPlain reports whether a shell can run the task's command as pixi does.
func isPlain(t *manifest.Task) bool {
	return strings.TrimSpace(t.Cmd) != "" && t.Cwd == "" && t.Target == "" && len(t.Env) == 0 && len(t.Args) == 0 && !strings.Contains(t.Cmd, "{{")
}
