package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// DirOf is the folder of a workspace's rehearsals, and of their report.
func DirOf(w *workspace.Workspace) string {
	return filepath.Join(w.Root, workspace.OutputDir, "rehearsal")
}

// Show rehearses what is committed before a person, and leaves a report in the folder. With -keep the report is shown, and the person
// may look around in the world, before it ends.
func Show(ctx context.Context, c Config, f Flags, v *view.View) (report Report, err error) {
	c.Request, c.Publish, c.Seed = bumping.WithChangelog(f.Request, c.Root), f.Publish, uint64(f.Faults)
	c.Reporter, c.Out, c.Err = v, v.Inner(v.Out), v.Inner(v.Err)
	page := filepath.Join(c.Dir, view.ReportPage)
	looked := false
	if f.Keep {
		c.Keep = func(ctx context.Context, report Report, w *World, clone string) error {
			running := report.Page()
			running.Running = true
			if err := view.WriteReport(c.Dir, running, report); err != nil {
				return err
			}
			report.tell(v, page)
			looked = true
			return w.lookAround(ctx, v, clone)
		}
	}
	report, err = Run(ctx, c)
	if looked && ctx.Err() != nil {
		err = nil // Ctrl-C is how it ends
	}
	if (looked || ctx.Err() == nil) && report.Commit != "" { // it began, and was not stopped; all else in the folder is swept by now
		err = errors.Join(err, view.WriteReport(c.Dir, report.Page(), report))
	}
	if !looked {
		report.page = page
	}
	return report, err
}

// Show tells a person what came of a rehearsal, once.
func (r Report) Show(v *view.View) {
	if r.page != "" {
		r.tell(v, r.page)
	}
}

func (r Report) tell(v *view.View, page string) {
	by := "from here"
	if len(r.Jobs) > 0 {
		by = "by an embedded CI"
	}
	v.Heading("\n%s %s was rehearsed: %s published to an embedded channel %s, installed and imported",
		r.Workspace, r.Release, operr.Count(len(r.Packages), "package"), by)
	if r.Runs > 1 {
		v.Text("  through %s: %s, and faults for the rest", operr.Count(r.Runs, "run"), operr.Count(r.Kills, "kill"))
	}
	for _, p := range r.Packages {
		v.Text("  %s %s  %s  sha256 %s", p.Name, p.Version, p.File, columns.Digest(p.SHA256))
	}
	for _, s := range r.Fleet {
		v.Text("  %s %s: %s from %s to %s, %s", s.Environment, s.Host, fleet.Short(s.Digest), s.From.UTC().Format(clock), s.Until.UTC().Format(clock), operr.Count(s.Answers, "answer"))
	}
	r.tellRuns(v)
	v.Heading("Not rehearsed:")
	for _, m := range r.Missing {
		v.Text("  ○ %s: %s", m.What, m.Why)
	}
	v.Line("Report: %s", page)
	v.Next("%s", r.next())
}

// next is what a person does once a release went through here.
func (r Report) next() string {
	switch {
	case r.Error != "":
		return "correct it, commit, and `mage rehearse` again"
	case r.About.To == "":
		return "`mage release`"
	case r.ByPull:
		return "`mage release -pr -to=" + operr.Word(r.About.To) + "`"
	}
	return "`mage release -to=" + operr.Word(r.About.To) + "`"
}

// lookAround says where the parts of the world are, and how they are reached, until ctx ends.
func (w *World) lookAround(ctx context.Context, v *view.View, clone string) error {
	v.Heading("\nThe world is running. Ctrl-C ends it, and removes it.")
	v.Table(nil, [][]string{
		{"the clone", clone, fmt.Sprintf("cd there; `git log`, `PREFIX_SERVER_URL=%s mage status`", operr.Word(w.Prefix.URL))},
		{"the remote", w.Remote, "git ls-remote " + w.Remote},
		{"prefix.dev", w.Prefix.URL, fmt.Sprintf("PREFIX_SERVER_URL=%s mage channel:show", w.Prefix.URL)},
		{"the channel", w.Prefix.URL + "/" + w.Channel, fmt.Sprintf("pixi search -c %s/%s '*'", w.Prefix.URL, w.Channel)},
		{"GitHub's API", w.API, fmt.Sprintf("curl %s/repos/%s/releases", w.API, w.Repository)},
	})
	<-ctx.Done()
	return nil
}
