package ciwrite

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/gomodule"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// facts holds the template values for ci.yml and release.yml. Paths have slashes.
type facts struct {
	Folder string // folder of the workspace, relative to the repository root; "" for the root itself
	Prefix string // Folder as a path prefix: "" or "sub/"

	Mage         string // the command that runs targets: "go tool mage"
	GoMod, GoSum string // files of the module that pins Mage, relative to the repository root

	Branch   string   // the default branch, as a pattern
	Branches []string // branches on which pushes are checked, as patterns
	Releases []string // branches from which releases are made, as patterns
	Pulls    bool     // releases land by pull requests

	Pixi    string   // the version of pixi to install; "" if the embedded toolchain is used
	Pythons []string // versions that every package supports, oldest first: "3.11"
	Python  string   // the newest version in Pythons

	Each   []each // jobs that run for each touched package
	Checks string // the target that checks all packages; "" if they have no such tasks

	Submodules bool // packages have files in submodules
	FromTags   bool // a tool derives a package's version from tags; without tags, requirements of sibling packages may fail

	Secret, ReadSecret string // names of the secrets with the channel's keys; "" if the job is a trusted publisher, or reading needs no key

	images []*picture
}

// `each` is a job of ci.yml that has a leg for each package.
type each struct {
	ID, Name, Target string

	Oldest bool // install the oldest versions that packages allow
}

// picture holds the template values for an image's workflow.
type picture struct {
	*facts

	Dir    string // folder of the downstream, relative to the workspace root
	File   string // the workflow's name
	Stem   string // File without its extension
	Path   string // folder of the downstream, relative to the repository root, as a pattern
	Output string // the folder of digests, relative to the repository root

	Legs     []leg
	Host     string // host of the registry
	OfGitHub bool   // whether the registry is GitHub's, which accepts a job's token
	Secrets  []string

	Deploy       string // the workflow that deploys the image; "" for none
	environments []config.Environment
	several      bool // more than one downstream is deployed
}

// leg is a job that builds an image for one platform.
type leg struct{ Platform, Runner, Artifact string }

// deployment holds the template values for deploy.yml.
type deployment struct {
	*picture

	Stem         string
	Caller       string // the workflow that calls deploy.yml
	Environments []stage
}

// stage is a job of deploy.yml.
type stage struct {
	Name, Job, Run string

	Before             string // the previous job; "" for the first
	Secrets, Variables []string
}

// oldestFile contains settings that make uv install the oldest versions that packages allow.
const oldestFile = "oldest.toml"

// read collects the template values for a workspace.
func read(w *workspace.Workspace, s Settings) (*facts, error) {
	if err := w.NoPackages(); err != nil {
		return nil, err
	}
	f := &facts{
		Branch:     glob(s.Branch),
		Secret:     w.Config.Secret,
		ReadSecret: w.Config.ReadSecret,
		Pulls:      w.Config.Land == settings.LandByPull,
	}
	if rel, err := filepath.Rel(s.Top, w.Root); err == nil && rel != "." && filepath.IsLocal(rel) {
		f.Folder = filepath.ToSlash(rel)
		f.Prefix = f.Folder + "/"
	}
	if err := harmless(f.Folder, s.Branch); err != nil {
		return nil, err
	}
	if err := f.module(w, s.Module); err != nil {
		return nil, err
	}
	f.Branches = []string{f.Branch}
	for _, b := range w.Config.Branches { // other characters may be special in GitHub's patterns
		switch {
		case b == s.Branch:
			f.Releases = append(f.Releases, f.Branch)
		case !strings.ContainsAny(b, `?[]\+!`) && harmless(b) == nil:
			f.Branches = append(f.Branches, b)
			f.Releases = append(f.Releases, b)
		}
	}
	if len(f.Releases) == 0 {
		f.Releases = f.Branches
	}
	if has(w, workspace.LockFile) {
		f.Pixi = pixi.Version
	} else {
		f.Pythons = pythons.MinorsOf(w.Packages)
		f.Python = f.Pythons[len(f.Pythons)-1]
	}
	f.jobs(w)
	f.FromTags = slices.ContainsFunc(w.Packages, func(p *workspace.Package) bool { return p.FromTags() != nil })
	f.readSubmodules(w, s.Top)
	return f, f.readImages(w)
}

// submodule matches the path of a submodule in .gitmodules.
var submodule = lazyregexp.New(`(?m)^\s*path\s*=\s*"?([^"\n]+?)"?\s*$`)

// readSubmodules determines whether packages have files in submodules, or are in one. Jobs that build packages check out submodules only then,
// because their token may have no access to other submodules.
func (f *facts) readSubmodules(w *workspace.Workspace, top string) {
	text, err := beneath.ReadFile(top, filepath.Join(top, ".gitmodules"))
	if err != nil {
		return // there are no submodules
	}
	within := func(dir, name string) bool { return dir == "." || name == dir || strings.HasPrefix(name, dir+"/") }
	for _, m := range submodule().FindAllStringSubmatch(string(text), -1) {
		f.Submodules = f.Submodules || slices.ContainsFunc(w.Packages, func(p *workspace.Package) bool {
			dir := path.Join(f.Folder, p.Dir)
			return within(dir, m[1]) || within(m[1], dir)
		})
	}
}

func has(w *workspace.Workspace, name string) bool {
	_, err := os.Stat(filepath.Join(w.Root, name))
	return err == nil
}

// pinsUs matches a line in a go.mod that pins this module.
var pinsUs = lazyregexp.New(`(?m)^(?:require)?\s*github\.com/foopack/foopack\s+v`)

// module finds the go.mod that pins Mage, and the command that runs its targets. If two go.mod files pin Mage, it picks the file that pins this
// module, because the other file uses Mage for something else.
func (f *facts) module(w *workspace.Workspace, dir string) error {
	if dir == "" {
		for _, candidate := range []string{".", "magefiles"} {
			text, err := beneath.ReadFile(w.Root, filepath.Join(w.Root, candidate, gomodule.File))
			if err != nil || !gomodule.HasMage(text) {
				continue
			}
			if dir == "" || pinsUs().Match(text) {
				dir = candidate
			}
			if pinsUs().Match(text) {
				break
			}
		}
	}
	switch dir {
	case "":
		return operr.New("run `go get -tool github.com/magefile/mage`, which adds the line; see foopack's magefiles/docs/adopting.md",
			"a workflow could not call mage: neither go.mod nor magefiles/go.mod has a line `tool github.com/magefile/mage`")
	case ".":
		f.Mage = "go tool mage"
	default:
		f.Mage = "go -C " + dir + " tool mage -d .."
	}
	f.GoMod, f.GoSum = path.Join(f.Folder, dir, gomodule.File), path.Join(f.Folder, dir, "go.sum")
	return nil
}

// jobs collects the jobs that check one package.
func (f *facts) jobs(w *workspace.Workspace) {
	of := "${{ matrix.package }}"
	if f.Pixi == "" {
		of += ", Python ${{ matrix.python }}"
	}
	_, noTests := toolchain.PackageTasks(w, "test")
	if _, err := toolchain.PackageTasks(w, "qa"); err == nil {
		f.Checks = "qa:all"
		f.Each = append(f.Each, each{
			ID:     "qa",
			Name:   "lint, format and tests of " + of,
			Target: "qa:package",
		})
	} else if noTests == nil {
		f.Each = append(f.Each, each{
			ID:     "tests",
			Name:   "tests of " + of,
			Target: "test:package",
		})
	}
	if _, err := toolchain.TestTasks(w); err == nil && f.Checks == "" {
		f.Checks = "test:all"
	}
	if noTests == nil && f.Pixi == "" && has(w, oldestFile) {
		f.Each = append(f.Each, each{
			ID:     "oldest",
			Name:   strings.Replace("tests of "+of, ", Python", " with the oldest of what it requires, Python", 1),
			Target: "test:package",
			Oldest: true,
		})
	}
}

// readImages collects the downstreams that have an image.
func (f *facts) readImages(w *workspace.Workspace) error {
	taken := map[string]string{"ci.yml": "", forge.Workflow: "", releasePR: "", "deploy.yml": ""}
	var deployed []*picture
	for _, d := range w.Downstreams {
		if d.Image == nil {
			continue
		}
		if err := harmless(d.Dir, d.Image.Host()); err != nil {
			return err
		}
		i := &picture{
			facts:   f,
			Dir:     d.Dir,
			File:    d.Image.Workflow,
			Path:    glob(f.Prefix + d.Dir),
			Output:  path.Join(f.Folder, workspace.OutputDir, "images", d.Dir),
			Host:    d.Image.Host(),
			Secrets: d.Image.Secrets,
		}
		i.OfGitHub = i.Host == settings.GitHubRegistry
		switch by, is := taken[i.File]; {
		case is && by == "":
			return operr.New("use another file name, such as publish-app.yml", "%s: workflow cannot be %s, because another workflow has this file name", d.Image.Pos, i.File)
		case is:
			return operr.New("set a different `workflow` for each image, or remove `workflow`", "%s: %s is also the workflow of the image of %s", d.Image.Pos, i.File, by)
		case i.File == "":
			i.File = free(taken, "publish-"+slug(path.Base(d.Dir)), "publish-"+slug(d.Dir))
		}
		taken[i.File] = d.Dir
		i.Stem = strings.TrimSuffix(i.File, path.Ext(i.File))
		for _, p := range d.Image.Platforms {
			arch := path.Base(p)
			runner := "ubuntu-24.04"
			if arch == "arm64" {
				runner += "-arm"
			}
			i.Legs = append(i.Legs, leg{
				Platform: p,
				Runner:   runner,
				Artifact: arch,
			})
		}
		all, err := config.Of(w, d)
		if err != nil {
			return err
		}
		if i.environments = sortByAfter(all); len(all) > 0 {
			deployed = append(deployed, i)
		}
		f.images = append(f.images, i)
	}
	for _, i := range deployed {
		i.Deploy, i.several = "deploy.yml", len(deployed) > 1
		if i.several {
			i.Deploy = free(taken, "deploy-"+slug(path.Base(i.Dir)), "deploy-"+slug(i.Dir))
			taken[i.Deploy] = i.Dir
		}
	}
	return nil
}

// sortByAfter moves each environment after the environment that it follows, and otherwise keeps the order. There are no cycles, because config
// rejects them.
func sortByAfter(all []config.Environment) (ordered []config.Environment) {
	rest := slices.Clone(all)
	for len(rest) > 0 {
		next := max(0, slices.IndexFunc(rest, func(e config.Environment) bool {
			return !slices.ContainsFunc(rest, func(other config.Environment) bool { return other.Name == e.After })
		}))
		ordered, rest = append(ordered, rest[next]), slices.Delete(rest, next, next+1)
	}
	return ordered
}

func (i *picture) deployment() deployment {
	d := deployment{
		picture: i,
		Stem:    strings.TrimSuffix(i.Deploy, path.Ext(i.Deploy)),
		Caller:  i.File,
	}
	before := ""
	for _, e := range i.environments {
		s := stage{
			Name:   e.Name,
			Job:    e.Name,
			Before: before,
		}
		if !startsAJob().MatchString(s.Job) {
			s.Job = "_" + s.Job
		}
		run := i.Mage + " deploy:to " + e.Name + ` -digest="$DIGEST" -tag="$TAG"`
		if i.several {
			run += " -only=" + operr.Quote(i.Dir)
		}
		s.Run = scalar(run + " -wait=15m -yes")
		for _, secret := range e.Secrets {
			if secret.Variable != "" {
				s.Secrets = append(s.Secrets, secret.Variable)
			}
		}
		s.Variables = e.Environment
		d.Environments = append(d.Environments, s)
		before = s.Job
	}
	return d
}

var startsAJob = lazyregexp.New(`^[a-z_]`)

// branchOf returns the branch in the repository's ci.yml, or "" if there is none.
func branchOf(top string) string {
	data, err := beneath.ReadFile(top, filepath.Join(top, filepath.FromSlash(folder), "ci.yml"))
	if err != nil {
		return ""
	}
	w, err := file.Read("ci.yml", data)
	if err != nil {
		return ""
	}
	for _, e := range w.Events {
		if b := e.Filters["branches"]; e.Name == "push" && len(b) > 0 {
			return regexp.MustCompile(`\\(.)`).ReplaceAllString(b[0], "$1") // remove the backslashes that glob adds
		}
	}
	return ""
}
