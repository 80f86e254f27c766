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

// facts are what ci.yml and release.yml are made of. Paths have slashes.
type facts struct {
	Folder string // of the workspace, from the repository's top; "" for the top itself
	Prefix string // that folder before a path: "" or "sub/"

	Mage         string // how a target is called: "go tool mage"
	GoMod, GoSum string // of the module that pins Mage, from the repository's top

	Branch   string   // the default one, as a pattern
	Branches []string // that pushes are checked on, as patterns
	Releases []string // that releases are made from, as patterns
	Pulls    bool     // releases land by pull requests

	Pixi    string   // the version of pixi that is installed; "" where the embedded toolchain is taken
	Pythons []string // that every package takes, the oldest first: "3.11"
	Python  string   // the newest of them

	Each   []each // jobs for each package that is touched
	Checks string // the target that checks all packages; "" where they have no tasks for it

	Submodules bool // packages have files in some
	FromTags   bool // a tool makes the version of a package from tags, without which requirements of its siblings may not be met

	Secret, ReadSecret string // secrets with keys of the channel; "" where the job is trusted, and where anyone may read

	images []*picture
}

// each is a job of ci.yml with a leg for each package.
type each struct {
	ID, Name, Target string

	Oldest bool // with the oldest of what packages require
}

// picture is what the workflow of an image is made of.
type picture struct {
	*facts

	Dir    string // of the downstream, from the workspace's root
	File   string // the workflow's name
	Stem   string // the same without its ending
	Path   string // of the downstream, from the repository's top, as a pattern
	Output string // the folder of digests, from the repository's top

	Legs     []leg
	Host     string // of the registry
	OfGitHub bool   // it is GitHub's own, which takes a job's token
	Secrets  []string

	Deploy       string // the workflow that deploys it; "" for none
	environments []config.Environment
	several      bool // more than one downstream is deployed
}

// leg is a job that builds an image for one platform.
type leg struct{ Platform, Runner, Artifact string }

// deployment is what deploy.yml is made of.
type deployment struct {
	*picture

	Stem         string
	Caller       string // the workflow that calls it
	Environments []stage
}

// stage is a job of deploy.yml.
type stage struct {
	Name, Job, Run string

	Before             string // the job before; "" for the first
	Secrets, Variables []string
}

// oldestFile are settings of uv by which the oldest of what packages require is installed.
const oldestFile = "oldest.toml"

// read takes from a workspace what its files are made of.
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
	for _, b := range w.Config.Branches { // of which GitHub reads other signs otherwise
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

// submodule is the path of one in .gitmodules.
var submodule = lazyregexp.New(`(?m)^\s*path\s*=\s*"?([^"\n]+?)"?\s*$`)

// readSubmodules finds out whether packages have files in submodules, or are in one: only then a job that builds them asks for them, since those of others
// may be closed to its token.
func (f *facts) readSubmodules(w *workspace.Workspace, top string) {
	text, err := beneath.ReadFile(top, filepath.Join(top, ".gitmodules"))
	if err != nil {
		return // there are none
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

// tool is a line of a go.mod that pins Mage.
var tool = lazyregexp.New(`(?m)^\s*(?:tool\s+)?github\.com/magefile/mage\s*(?://.*)?$`)

// pinsUs is a line of a go.mod that does.
var pinsUs = lazyregexp.New(`(?m)^(?:require)?\s*github\.com/foopack/foopack\s+v`)

// module finds the go.mod that pins Mage, and how a target is called by it: of two the one that pins us, since the other one is a person's who has Mage for
// something else.
func (f *facts) module(w *workspace.Workspace, dir string) error {
	if dir == "" {
		for _, candidate := range []string{".", "magefiles"} {
			text, err := beneath.ReadFile(w.Root, filepath.Join(w.Root, candidate, gomodule.File))
			if err != nil || !tool().Match(text) {
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
		return operr.New("`go get -tool github.com/magefile/mage` writes it there, as README's \"In your own repository\" says",
			"neither go.mod nor magefiles/go.mod has a line `tool github.com/magefile/mage`: a workflow could not call mage")
	case ".":
		f.Mage = "go tool mage"
	default:
		f.Mage = "go -C " + dir + " tool mage -d .."
	}
	f.GoMod, f.GoSum = path.Join(f.Folder, dir, gomodule.File), path.Join(f.Folder, dir, "go.sum")
	return nil
}

// jobs are those that look at one package.
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

// readImages takes the downstreams of which an image is made.
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
			return operr.New("name one of its own, such as publish-app.yml", "%s: workflow cannot be %s here: that file is about something else", d.Image.Pos, i.File)
		case is:
			return operr.New("give each its own, or leave `workflow` out", "%s: %s is the workflow of the image of %s, too", d.Image.Pos, i.File, by)
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
		if i.environments = inOrder(all); len(all) > 0 {
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

// inOrder puts environments behind those that they are after, and leaves them as they stand otherwise. There is no circle: config refuses it.
func inOrder(all []config.Environment) (ordered []config.Environment) {
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
			run += " -only=" + operr.Quoted(i.Dir)
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

// branchOf is the branch that the ci.yml of a repository is about; "" where it does not say one.
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
			return regexp.MustCompile(`\\(.)`).ReplaceAllString(b[0], "$1") // as glob writes it
		}
	}
	return ""
}
