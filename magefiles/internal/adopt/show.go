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

// message is the commit message in the printed commands.
const message = "build: let foopack release the packages"

// Show prints what was found, conflicts, what will not work, and what would be written.
func (p *Plan) Show(v *view.View) {
	f := p.Found
	v.Heading("Found")
	for _, pkg := range f.Workspace.Packages {
		v.Text("  package     %s %s, in %s, by %s", pkg.Name, cmp.Or(pkg.Version.Text, "(no version)"), pkg.Dir, cmp.Or(pkg.Build.Backend, "no backend"))
	}
	for _, d := range f.Workspace.Downstreams {
		v.Text("  downstream  %s, in %s", d.Name(), d.Dir)
	}
	last := "none"
	if len(f.Tags) > 0 {
		last = fmt.Sprintf("%s, %s among them", operr.Count(len(f.Tags), "tag"), f.Tags[len(f.Tags)-1])
	}
	v.Text("  channel     %s", cmp.Or(f.Channel, "none"))
	v.Text("  remote      %s", cmp.Or(strings.TrimSpace(f.Remote+" "+f.Address), "none: `git remote add origin URL` before a release"))
	v.Text("  tags        %s", last)
	v.Text("  tasks       %s", cmp.Or(strings.Join(f.Tasks, ", "), "none"))
	v.Text("  workflows   %s", cmp.Or(strings.Join(f.Workflows, ", "), "none"))
	list(v, "Disagrees", f.Disagrees)
	list(v, "Will not work", f.WontWork)
	list(v, "Outdated, and left as it is", p.Old)
	var there []string
	for _, file := range p.There {
		there = append(there, file.Path+": "+file.Why)
	}
	list(v, "Already written, but not yet committed", there)
	if len(p.Files) > 0 {
		v.Heading("\nWould be written")
		for _, file := range p.Files {
			how := "new"
			if file.Old != nil {
				how = "changed"
			}
			v.Text("  %-8s %s: %s", how, file.Path, file.Why)
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
		v.Heading("\nLeft as it is: another file has this name")
		ciwrite.Result{Files: theirs}.Show(v)
	}
}

func list(v *view.View, title string, lines []string) {
	if len(lines) > 0 {
		v.Heading("\n%s", title)
		for _, line := range lines {
			v.Text("  ○ %s", line)
		}
	}
}

// ShowNext prints the commands that commit the files, the manual settings, and finally the next step.
func (p *Plan) ShowNext(v *view.View) {
	defer v.Next("commit these files as shown above, then run `%s rehearse`", p.Mage)
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
	if p.Mage != (Place{Dir: "."}).Mage() { // the root's go.mod, if it exists, does not pin us
		v.Line("  alias mage='%s'   # in this folder: the README and every next step write mage", p.Mage)
	}
	v.Line("  %s rehearse", p.Mage)
	if !p.Found.GitHub() {
		v.Line("\nFor the CI of %s, foopack's magefiles/docs/publishing.md shows a file for GitLab.", p.Found.Address)
		return
	}
	v.Heading("\nTo do once, by hand")
	channel, rules := cmp.Or(p.Found.Channel, "NAME"), []string{"  GitHub, Rules", p.checks()}
	if p.Found.Taken != "" || p.Found.Workspace.Config.Publish == settings.PublishHere {
		v.Table(nil, [][]string{
			{"  this machine", "a key of the channel " + channel + ", as PREFIX_API_KEY or by `pixi auth login`: a release publishes from this machine"},
			rules,
		})
		return
	}
	v.Table(nil, [][]string{
		{"  prefix.dev, channel " + channel, "a trusted publisher: this repository, workflow release.yml, environment release"},
		{"  GitHub, Environments", "an environment `release`, which only tags `v*` and `*/v*` may deploy to"},
		{"  GitHub, Actions", "\"Allow GitHub Actions to create pull requests\", if a pull request lands a release"},
		rules,
	})
}

// checks returns a sentence about the checks that a branch should require: ci from our ci.yml, or the jobs of the user's own ci.yml.
func (p *Plan) checks() string {
	const one = "the one check to require: ci"
	i := slices.IndexFunc(p.Ours, func(f ciwrite.File) bool { return path.Base(f.Path) == "ci.yml" })
	if i < 0 || p.Ours[i].State != ciwrite.Foreign && p.Ours[i].State != ciwrite.Changed {
		return one
	}
	w, err := file.Read(p.Ours[i].Path, []byte(p.Ours[i].Old))
	if err != nil {
		return "the checks to require: the jobs of ci.yml, which cannot be read now"
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

// `below` returns the folder of the workspace, in which mage is called, relative to the repository root; "." for the root.
func (p *Plan) below() string {
	if rel, err := filepath.Rel(p.clone, p.folder); err == nil {
		return filepath.ToSlash(rel)
	}
	return "."
}
