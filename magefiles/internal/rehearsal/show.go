package rehearsal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/about"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// DirOf returns the folder for a workspace's rehearsals and their report.
func DirOf(w *workspace.Workspace) string {
	return filepath.Join(w.Root, workspace.OutputDir, "rehearsal")
}

// Show runs a rehearsal and prints its progress, and writes a report to the folder. With -keep, it prints the report while the world is still
// running, so that the user may look around.
func Show(ctx context.Context, c Config, f Flags, v *view.View) (report Report, err error) {
	c.Request, c.Publish, c.Seed = bumping.WithChangelog(f.Request, c.Root), f.Publish, uint64(f.Faults)
	c.Reporter, c.Out, c.Err = v, v.Inner(v.Out), about.Without(v.Inner(v.Err), about.ErrorAfter(func() bool { return ctx.Err() != nil }))
	page, looked := filepath.Join(c.Dir, view.ReportPage), false
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
		err = nil // Ctrl-C is the normal way to end
	}
	if (looked || ctx.Err() == nil) && report.Commit != "" { // the rehearsal began and was not interrupted; the folder only has the report
		err = errors.Join(err, view.WriteReport(c.Dir, report.Page(), report))
	}
	if !looked {
		report.page = page
	}
	return report, err
}

// Show prints the results of a rehearsal.
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
		v.Text("  the release took %s, because of %s and of injected faults", operr.Count(r.Runs, "run"), operr.Count(r.Kills, "kill"))
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

// `next` returns what to do after the rehearsal.
func (r Report) next() string {
	if r.Error != "" {
		return "correct the error above, commit, and run `mage rehearse` again"
	}
	line, here := "mage release", ""
	if r.asked.To != "" && r.ByPull {
		return cmp.Or(r.noCI.Next(""), "`mage release -pr "+r.asked.Flags()+"`")
	}
	if r.asked.To != "" {
		line += " " + r.asked.Flags()
	}
	if r.publish != "" {
		line += " -publish=" + operr.Word(r.publish)
	} else {
		here = line + " -publish=here"
	}
	return cmp.Or(r.noCI.Next(here), "`"+line+"`")
}

// lookAround prints where the parts of the world are and how to access them, then waits until ctx ends.
func (w *World) lookAround(ctx context.Context, v *view.View, clone string) error {
	v.Heading("\nThe world is running. Ctrl-C stops and removes it.")
	v.Table(nil, [][]string{
		{"the clone", clone, fmt.Sprintf("in this folder: `git log`, `PREFIX_SERVER_URL=%s mage status`", operr.Word(w.Prefix.URL))},
		{"the remote", w.Remote, "git ls-remote " + w.Remote},
		{"prefix.dev", w.Prefix.URL, fmt.Sprintf("PREFIX_SERVER_URL=%s mage channel:show", w.Prefix.URL)},
		{"the channel", w.Prefix.URL + "/" + w.Channel, fmt.Sprintf("pixi search -c %s/%s '*'", w.Prefix.URL, w.Channel)},
		{"GitHub's API", w.API, fmt.Sprintf("curl %s/repos/%s/releases", w.API, w.Repository)},
	})
	<-ctx.Done()
	return nil
}
