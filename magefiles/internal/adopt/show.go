package adopt

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/ciwrite"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// message is that of the commit that the printed commands make.
const message = "build: let foopack release the packages"

// Show shows what was found, what disagrees, what will not work, and what would be written.
func (p *Plan) Show(v *view.View) {
	f := p.Found
	v.Heading("Found")
	for _, pkg := range f.Workspace.Packages {
		v.Line("  package     %s %s, in %s, by %s", pkg.Name, cmp.Or(pkg.Version.Text, "(no version)"), pkg.Dir, cmp.Or(pkg.Build.Backend, "no backend"))
	}
	for _, d := range f.Workspace.Downstreams {
		v.Line("  downstream  %s, in %s", d.Name(), d.Dir)
	}
	last := "none"
	if len(f.Tags) > 0 {
		last = fmt.Sprintf("%s, %s among them", operr.Count(len(f.Tags), "tag"), f.Tags[len(f.Tags)-1])
	}
	v.Line("  channel     %s", cmp.Or(f.Channel, "none"))
	v.Line("  remote      %s", cmp.Or(strings.TrimSpace(f.Remote+" "+f.Address), "none: `git remote add origin URL` before a release"))
	v.Line("  tags        %s", last)
	v.Line("  tasks       %s", cmp.Or(strings.Join(f.Tasks, ", "), "none"))
	v.Line("  workflows   %s", cmp.Or(strings.Join(f.Workflows, ", "), "none"))
	list(v, "Disagrees", f.Disagrees)
	list(v, "Will not work", f.WontWork)
	list(v, "Older than it could be, and left alone", p.Old)
	var there []string
	for _, file := range p.There {
		there = append(there, file.Path+": "+file.Why)
	}
	list(v, "Written already, and to be committed", there)
	if len(p.Files) > 0 {
		v.Heading("\nWould be written")
		for _, file := range p.Files {
			how := "new"
			if file.Old != nil {
				how = "changed"
			}
			v.Line("  %-8s %s: %s", how, file.Path, file.Why)
			if file.Old != nil {
				v.Line("%s", strings.TrimSuffix(ciwrite.Diff(file.Path, string(file.Old), string(file.New)), "\n"))
			}
		}
	}
	var theirs []ciwrite.File
	for _, file := range p.Ours {
		if file.State == ciwrite.Foreign || file.State == ciwrite.Changed {
			theirs = append(theirs, file)
		}
	}
	if len(theirs) > 0 {
		v.Heading("\nThe name is taken: left alone")
		ciwrite.Result{Files: theirs}.Show(v)
	}
}

func list(v *view.View, title string, lines []string) {
	if len(lines) > 0 {
		v.Heading("\n%s", title)
		for _, line := range lines {
			v.Line("  ○ %s", line)
		}
	}
}

// ShowNext shows the commands that commit it here, and what is to be set by hand.
func (p *Plan) ShowNext(v *view.View) {
	var names []string
	for _, f := range slices.Concat(p.There, p.Files) {
		names = append(names, f.Path)
	}
	slices.Sort(names)
	v.Heading("\nNow, in the top folder of the repository")
	v.Line("  git add %s", operr.Words(names))
	v.Line("  git commit -m %q", message)
	if folder := p.below(); folder != "." {
		v.Line("  cd %s", operr.Word(folder))
	}
	if p.Mage != (Place{Dir: "."}).Mage() { // the root's go.mod is another one
		v.Line("  alias mage='%s'   # in this folder: README and every hint call it mage", p.Mage)
	}
	v.Line("  %s rehearse", p.Mage)
	if !p.Found.GitHub() {
		v.Line("\nThe CI of %s: README, \"Publishing\", shows a file for GitLab.", p.Found.Address)
		return
	}
	v.Heading("\nBy hand, once")
	if p.Found.Taken != "" || p.Found.Workspace.Config.Publish == settings.PublishHere {
		v.Line("  a key of the channel %s, as PREFIX_API_KEY or by `pixi auth login`: a release publishes from here", cmp.Or(p.Found.Channel, "NAME"))
		v.Line("  GitHub, Rules            %s", p.checks())
		return
	}
	v.Line("  prefix.dev, channel %s   a trusted publisher: this repository, workflow release.yml, environment release", cmp.Or(p.Found.Channel, "NAME"))
	v.Line("  GitHub, Environments     an environment `release`, which only tags `v*` and `*/v*` may deploy to")
	v.Line("  GitHub, Actions          \"Allow GitHub Actions to create pull requests\", where releases are landed by one")
	v.Line("  GitHub, Rules            %s", p.checks())
}

// checks says which checks a branch is to require: ci, which our ci.yml has, or, where ci.yml is a person's own, what its jobs are called.
func (p *Plan) checks() string {
	const one = "the one check to require: ci"
	i := slices.IndexFunc(p.Ours, func(f ciwrite.File) bool { return path.Base(f.Path) == "ci.yml" })
	if i < 0 || p.Ours[i].State != ciwrite.Foreign && p.Ours[i].State != ciwrite.Changed {
		return one
	}
	w, err := file.Read(p.Ours[i].Path, []byte(p.Ours[i].Old))
	if err != nil {
		return "the checks to require: those of ci.yml, once it can be read"
	}
	var names []string
	for _, j := range w.Jobs {
		name, several := j.Check()
		if name == "ci" && several == "" {
			return one
		}
		if several != "" {
			name += " (one for each " + several + ")"
		}
		names = append(names, name)
	}
	return "the checks to require: the jobs of ci.yml, which are " + strings.Join(names, ", ") + "; or one job `ci` that needs them all"
}

// below is the folder of the workspace, from the repository's top, in which mage is called; "." for the top itself.
func (p *Plan) below() string {
	if rel, err := filepath.Rel(p.clone, p.folder); err == nil {
		return filepath.ToSlash(rel)
	}
	return "."
}
