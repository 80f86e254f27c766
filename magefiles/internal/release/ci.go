package release

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
)

// unseenFor is how long a channel may not be there for anyone once the CI has ended well: what lies in between may keep for a while that there
// was none. Where a credential does not show it either, absentFor is: it may be a first release, or somebody who is no member of the channel.
const unseenFor, absentFor = 3 * time.Second, time.Minute

// runWithin is how long GitHub has to begin a run for a tag, before one is asked for.
const runWithin = 30 * time.Second

// ci are the runs of a CI that publish the release of a plan, at a commit: one for each tag.
type ci struct {
	*Release
	plan   *plan.Plan
	commit trace.Commit
	begun  time.Time         // of the first look
	asked  map[string]string // what became of asking for a run, by tag
}

func (r *Release) watchCI(p *plan.Plan, commit trace.Commit) *ci {
	return &ci{
		Release: r,
		plan:    p,
		commit:  commit,
		asked:   map[string]string{},
	}
}

// ciWait is how a CI is waited for: most is how long, and what for.
func (r *Release) ciWait(most time.Duration, what string) pause.Wait {
	w := r.Wait
	w.What, w.First, w.Times, w.Most, w.For = what, time.Second/5, 1.5, 15*time.Second, most
	return w
}

// waitForChannel waits until the channel has every package of the release. Meanwhile it watches the run of the workflow, where
// GitHub can be asked: one that failed ends the wait.
func (r *ci) waitForChannel(ctx context.Context, shop *workshop, isPublished func(ctx context.Context, before *Sent) (Sent, bool, error)) (found Sent, err error) {
	s, _, err := shop.openSequence(ctx)
	if err != nil {
		return Sent{}, err
	}
	last, unseen := time.Now(), time.Duration(0) // since the CI has ended well, and nobody here sees the channel
	p, err := r.ciWait(cmp.Or(r.CIWait, time.Hour), "CI").Until(ctx, func(ctx context.Context) (seen pause.Seen, err error) {
		if found, seen.Done, err = isPublished(ctx, nil); err != nil || seen.Done {
			return seen, err
		}
		where, held, err := r.watch(ctx)
		if err != nil {
			return seen, err
		}
		since := time.Since(last)
		last = last.Add(since)
		if where == "" && !s.Holdings.Exists {
			unseen += since
		}
		seen.Held = held // a reviewer may come tomorrow
		seen.Says = cmp.Or(where, "the CI has ended well") + mayLeave
		return seen, refuseUnseen(ctx, r.plan, s, unseen)
	})
	if errors.Is(err, pause.ErrOver) {
		return Sent{}, operr.New("see what it does; `mage release` goes on waiting",
			"after %v the channel does not have all of %s; %s", p.Waited.Round(time.Second), r.plan.Title, strings.TrimSuffix(p.Seen.Says, mayLeave)).WithWayOn()
	}
	if err != nil {
		return Sent{}, err
	}
	return found, nil
}

// mayLeave is what a person may do while a CI is waited for.
const mayLeave = "; Ctrl-C leaves, `mage release` goes on waiting"

// refuseUnseen returns the error of a channel that has shown nothing for so long since the CI has ended well; nil where it may still come.
func refuseUnseen(ctx context.Context, p *plan.Plan, s *publish.Sequence, unseen time.Duration) error {
	switch {
	case s.Unseen() && unseen > unseenFor:
		return operr.New("set a key that reads the channel, PREFIX_API_KEY; `mage release` goes on from here",
			"the CI has published %s, and there is no channel that anyone can see at %s: with a credential for it, it would be read", p.Title, s.Channel.URL()).WithWayOn()
	case s.Unseen() || unseen <= absentFor:
		return nil
	}
	whose := "a credential"
	if access, err := s.Channel.Authorize(ctx); err == nil {
		whose = access.String()
	}
	return operr.New("set a credential of an account that may read the channel, PREFIX_API_KEY; `mage release` goes on from here",
		"the CI has published %s, and there is no channel at %s that anyone can see, nor who has %s", p.Title, s.Channel.URL(), whose).WithWayOn()
}

// watch says where the CI is at work, "" once it has ended well, and whether it waits for a person; it fails where the CI has ended without
// success.
func (r *ci) watch(ctx context.Context) (where string, held bool, err error) {
	if r.GitHub.Client == nil {
		return r.GitHub.DescribePlace(ctx, r.Repo, r.plan), false, nil
	}
	runs, err := r.findRuns(ctx)
	page := "https://github.com/" + r.GitHub.Repository + "/actions/workflows/" + forge.Workflow
	switch {
	case ctx.Err() != nil:
		return "", false, context.Cause(ctx)
	case err != nil:
		//lint:ignore nilerr where to look is said, and it is asked again
		return "see " + page + " (it cannot be asked: " + err.Error() + ")", false, nil
	}
	for _, tag := range r.plan.Tags {
		said, waits := "", false
		switch run, there := runs[tag]; {
		case !there:
			said, err = r.askForRun(ctx, tag)
			said += ": see " + page
		case run.Completed() && !run.Succeeded():
			return "", false, operr.New(run.Next()+"; then `mage release`", "the CI that publishes %s ended without success (%s): %s", r.plan.Title, run.Conclusion, run.URL).WithWayOn()
		case run.Completed():
			continue
		case run.Held():
			said, waits = r.describeReviewers(ctx, run)+": "+run.URL, true
		default:
			said = run.Status + ": " + run.URL
		}
		if err != nil {
			return "", false, err
		}
		if where == "" || waits && !held { // a person is told what waits for a person
			where, held = said, held || waits
		}
	}
	return where, held, nil
}

// askForRun says that no run has begun for a tag. Where that has been so for a while, it asks GitHub for one, once: a run that is there was looked for
// before, and what was asked for is kept, so that a process that comes after a kill does not ask again.
func (r *ci) askForRun(ctx context.Context, tag string) (said string, err error) {
	said = "no run of " + forge.Workflow + " has begun for " + tag + " yet"
	if r.begun.IsZero() {
		r.begun = time.Now()
	}
	if outcome, ok := r.asked[tag]; ok {
		return said + outcome, nil
	}
	asked, err := r.readAsked()
	switch {
	case err != nil:
		return "", err
	case slices.Contains(asked.Tags, tag):
		return said + wasAsked, nil
	case time.Since(r.begun) < cmp.Or(r.RunWithin, runWithin):
		return said, nil
	case !r.GitHub.Token:
		r.asked[tag] = ", and without a GITHUB_TOKEN none can be asked for: run it at the tag by hand"
	case r.GitHub.RefuseDispatch(r.Repo.Top) != "":
		r.asked[tag] = ", and none can be asked for, since " + r.GitHub.RefuseDispatch(r.Repo.Top) + ": `git push --delete " + operr.Word(r.plan.Remote) + " " + operr.Word(tag) + "`, and then `git push " + operr.Word(r.plan.Remote) + " " + operr.Word(tag) + "`, may begin it"
	default:
		if failed := r.GitHub.Client.Dispatch(ctx, forge.Workflow, tag, nil); failed != nil {
			r.asked[tag] = ", and asking for one has failed (" + failed.Error() + "): run it at the tag by hand"
			break
		}
		r.asked[tag] = wasAsked
		r.Say("GitHub has begun no run of %s for %s by itself: asked it for one", forge.Workflow, tag)
		asked.Tags = append(asked.Tags, tag)
		if err := r.writeAsked(asked); err != nil {
			return "", err
		}
	}
	return said + r.asked[tag], nil
}

// expects reports whether there are tags without a run, for which one may still begin: by itself, or since it was asked for.
func (r *ci) expects(runs map[string]*github.Run) bool {
	return time.Since(r.begun) < 2*cmp.Or(r.RunWithin, runWithin) && slices.ContainsFunc(r.plan.Tags, func(tag string) bool {
		outcome, ok := r.asked[tag]
		return runs[tag] == nil && (!ok || outcome == wasAsked)
	})
}

// wasAsked is the outcome of asking for a run that GitHub has taken.
const wasAsked = ", though it was asked for"

// askedFor is what is kept of the runs that were asked for: those of one release.
type askedFor struct {
	Commit string   `json:"commit"`
	Tags   []string `json:"tags"`
}

func (r *ci) askedFile() string { return filepath.Join(r.State, "asked-runs.json") }

// readAsked reads which runs were asked for; none where the file is of another release.
func (r *ci) readAsked() (askedFor, error) {
	none := askedFor{Commit: r.commit.Hash}
	data, err := os.ReadFile(r.askedFile())
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return none, nil
		}
		return none, err
	}
	var kept askedFor
	if json.Unmarshal(data, &kept) != nil || kept.Commit != r.commit.Hash {
		//lint:ignore nilerr what cannot be read is of no release that goes on
		return none, nil
	}
	return kept, nil
}

func (r *ci) writeAsked(a askedFor) error {
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(r.askedFile(), append(data, '\n'), 0o644)
}

// describeReviewers says who has to approve a run.
func (r *ci) describeReviewers(ctx context.Context, run *github.Run) string {
	approvals, err := r.GitHub.Client.Approvals(ctx, run.ID)
	if err != nil || len(approvals) == 0 {
		return "somebody has to approve it"
	}
	var said []string
	for _, a := range approvals {
		said = append(said, a.String())
	}
	return strings.Join(said, ", and ")
}

// findRuns finds the newest run of the workflow for each tag of the release, at its commit.
func (r *ci) findRuns(ctx context.Context) (map[string]*github.Run, error) {
	all, err := r.GitHub.Client.Runs(ctx, forge.Query(r.commit.Hash))
	if err != nil {
		return nil, err
	}
	runs := map[string]*github.Run{}
	for _, run := range slices.Backward(all) { // the newest first
		if slices.Contains(r.plan.Tags, run.Ref) {
			runs[run.Ref] = &run
		}
	}
	return runs, nil
}

// compare holds the channel's digests against those that the CI recorded when it had published. Without a token they cannot be read, which
// is said. own is what was built here; nil where nothing was.
func (r *ci) compare(ctx context.Context, s *publish.Sequence, own *Artifacts, items []publish.Published) (string, error) {
	const not = "digests not compared with what CI recorded: "
	switch {
	case r.GitHub.Client == nil:
		return not + "this CI cannot be asked from here", nil
	case !r.GitHub.Token:
		return not + "there is no GITHUB_TOKEN", nil
	}
	all, err := r.readRecordings(ctx)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return not + "no run of " + forge.Workflow + " is known for this commit and its tags", nil
	}
	for _, i := range items {
		has := false
		for _, theirs := range all {
			want, ok := theirs.digests[i.File]
			if ok && want != i.SHA256 {
				return "", differs(i, want, "was recorded by the CI run "+theirs.run.URL)
			}
			has = has || ok
		}
		if !has {
			return "", operr.NewStopped("find out who published it", "the CI run %s did not record %s, and the channel has it", all[0].run.URL, i.File)
		}
	}
	same := ""
	if own != nil && s.Tools.Reproducible() {
		for _, theirs := range all {
			if same, err = theirs.compareWithOwn(*own); err != nil {
				return "", err
			}
		}
	}
	by := all[0].run.URL
	if len(all) > 1 {
		by = operr.Count(len(all), "run")
	}
	return fmt.Sprintf("%s as CI recorded (%s)%s", operr.Count(len(items), "digest"), by, same), nil
}

// compareWithOwn holds what the CI has built against what was built here, of the same commit, before the tag was pushed. Where both name
// the same tools, and these promise the same bytes, one of the two machines has built something else.
func (r recorded) compareWithOwn(own Artifacts) (string, error) {
	same, other := 0, 0
	for _, a := range own.Artifacts {
		theirs, known := r.digests[a.File]
		switch {
		case !known || a.Tools == "" || a.Tools != r.tools[a.Package] || !toolchain.ArePinned(a.Tools):
			other++
		case theirs == a.SHA256:
			same++
		default:
			return "", operr.NewStopped("find out which of the two machines builds something else before anyone installs it; what is published stays as it is, and there is no GitHub release",
				"%s was built of the same commit by the same tools with sha256 %s here, and with %s by the CI run %s", a.File, a.SHA256, theirs, r.run.URL)
		}
	}
	if other > 0 {
		return fmt.Sprintf(", %d as built here, %d not compared since other tools built them", same, other), nil
	}
	return ", and as built here", nil
}

// readRecordings waits for the runs to end, and returns the sha256 of each file that they published, in the order of the tags.
func (r *ci) readRecordings(ctx context.Context) (all []recorded, err error) {
	var runs map[string]*github.Run
	_, err = r.ciWait(0, "the end of the CI's runs").Until(ctx, func(ctx context.Context) (seen pause.Seen, err error) {
		if seen.Says, seen.Held, err = r.watch(ctx); err != nil {
			return seen, err
		}
		seen.Says += mayLeave
		if runs, err = r.findRuns(ctx); err != nil {
			return seen, err
		}
		seen.Done = len(runs) == 0 || !r.expects(runs) && !slices.ContainsFunc(slices.Collect(maps.Values(runs)), func(run *github.Run) bool { return !run.Completed() })
		return seen, nil
	})
	for _, tag := range r.plan.Tags {
		if run := runs[tag]; run != nil && err == nil {
			var data []byte
			if data, err = r.GitHub.Client.Artifact(ctx, run.ID, forge.Recording); err == nil {
				var one recorded
				one, err = digestsOf(data)
				one.run = run
				all = append(all, one)
			}
		}
	}
	return all, err
}

// recorded is what a run of the CI kept of what it published.
type recorded struct {
	run     *github.Run
	digests map[string]string // sha256 by file
	tools   map[string]string // by package
}

// digestsOf reads what `mage publish -json` prints.
func digestsOf(data []byte) (recorded, error) {
	var result struct {
		Packages []publish.Published `json:"packages"`
		Tools    map[string]string   `json:"tools"`
	}
	if err := json.Unmarshal(data, &result); err != nil {
		return recorded{}, operr.New("see whether "+forge.Workflow+" keeps what `mage publish -json` prints", "reading what the CI recorded: %w", err)
	}
	r := recorded{digests: map[string]string{}, tools: result.Tools}
	for _, p := range result.Packages {
		r.digests[p.File] = p.SHA256
	}
	return r, nil
}
