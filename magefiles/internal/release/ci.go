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
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
)

// unseenFor limits how long to wait for an invisible channel after the CI has succeeded, since caches may still report it missing. absentFor is the
// limit with a credential: this may be the first release, or the credential's account may not be a member.
const unseenFor, absentFor = 3 * time.Second, time.Minute

// runWithin limits how long to wait for GitHub to start a run for a tag before requesting one.
const runWithin = 30 * time.Second

// ci describes the CI runs that publish a release at a commit, one for each tag.
type ci struct {
	*Release
	plan   *plan.Plan
	commit trace.Commit
	begun  time.Time         // when the runs were first looked up
	asked  map[string]string // outcomes of requested runs, by tag
}

func (r *Release) watchCI(p *plan.Plan, commit trace.Commit) *ci {
	return &ci{
		Release: r,
		plan:    p,
		commit:  commit,
		asked:   map[string]string{},
	}
}

// ciWait returns the settings for waiting for a CI, for at most `most`.
func (r *Release) ciWait(most time.Duration, what string) pause.Wait {
	w := r.Wait
	w.What, w.First, w.Times, w.Most, w.For = what, time.Second/5, 1.5, 15*time.Second, most
	return w
}

// waitForChannel waits until the channel has every package of the release. Meanwhile it watches the workflow runs, if it can query GitHub. A failed
// run ends the wait with an error.
func (r *ci) waitForChannel(ctx context.Context, shop *workshop, isPublished func(ctx context.Context, before *Sent) (Sent, bool, error)) (found Sent, err error) {
	s, _, err := shop.openSequence(ctx)
	if err != nil {
		return Sent{}, err
	}
	last, unseen := time.Now(), time.Duration(0) // unseen: how long the channel has been invisible since the CI succeeded
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
		seen.Held = held // a reviewer may take until tomorrow
		seen.Says = cmp.Or(where, "the CI has succeeded") + mayLeave
		return seen, refuseUnseen(ctx, r.plan, s, unseen)
	})
	if errors.Is(err, pause.ErrOver) {
		return Sent{}, operr.New("look at the CI run; to continue waiting, run `mage release`",
			"after %s the channel does not have all packages of %s; %s", columns.Took(p.Waited), r.plan.Title, strings.TrimSuffix(p.Seen.Says, mayLeave)).WithWayOn()
	}
	if err != nil {
		return Sent{}, err
	}
	return found, nil
}

// mayLeave tells the user that the wait can be interrupted.
const mayLeave = "; you can press Ctrl-C: `mage release` continues to wait"

// refuseUnseen returns an error if the channel has been invisible for too long after the CI succeeded.
func refuseUnseen(ctx context.Context, p *plan.Plan, s *publish.Sequence, unseen time.Duration) error {
	switch {
	case s.Unseen() && unseen > unseenFor:
		return operr.New("set PREFIX_API_KEY to a key that can read the channel; then run `mage release` to continue",
			"the CI has published %s, but the channel %s is not visible without a credential", p.Title, s.Channel.URL()).WithWayOn()
	case s.Unseen() || unseen <= absentFor:
		return nil
	}
	whose := "a credential"
	if access, err := s.Channel.Authorize(ctx); err == nil {
		whose = access.String()
	}
	return operr.New("set PREFIX_API_KEY to a key of an account that may read the channel; then run `mage release` to continue",
		"the CI has published %s, but the channel %s is not visible, without a credential or with %s", p.Title, s.Channel.URL(), whose).WithWayOn()
}

// watch returns the state and URL of a run that is not done, or "" if all runs have succeeded. held reports whether that run waits for approval. A
// failed run is an error.
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
		//lint:ignore nilerr the text says where to look, and GitHub is asked again later
		return "see " + page + " (it cannot be asked: " + err.Error() + ")", false, nil
	}
	for _, tag := range r.plan.Tags {
		said, waits := "", false
		switch run, there := runs[tag]; {
		case !there:
			said, err = r.askForRun(ctx, tag)
			said += ": see " + page
		case run.Completed() && !run.Succeeded():
			return "", false, operr.New(run.Next()+"; then `mage release`", "the CI that publishes %s ended without success (%s); see %s", r.plan.Title, run.Conclusion, run.URL).WithWayOn()
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
		if where == "" || waits && !held { // prefer a run that waits for approval
			where, held = said, held || waits
		}
	}
	return where, held, nil
}

// askForRun returns a message that a tag has no run yet. After a while it requests a run, at most once: requests are recorded, so that they are not
// repeated after a kill.
func (r *ci) askForRun(ctx context.Context, tag string) (said string, err error) {
	said = "no run of " + forge.Workflow + " has started for " + tag + " yet"
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
		r.asked[tag] = ", and this command cannot request a run without a GITHUB_TOKEN: run the workflow at the tag by hand"
	case r.GitHub.RefuseDispatch(r.Repo.Top) != "":
		r.asked[tag] = ", and this command cannot request a run, because " + r.GitHub.RefuseDispatch(r.Repo.Top) + ": `git push --delete " + operr.Word(r.plan.Remote) + " " + operr.Word(tag) + "`, and then `git push " + operr.Word(r.plan.Remote) + " " + operr.Word(tag) + "`, may start the run"
	default:
		if failed := r.GitHub.Client.Dispatch(ctx, forge.Workflow, tag, nil); failed != nil {
			r.asked[tag] = ", and the request for a run failed (" + failed.Error() + "): run the workflow at the tag by hand"
			break
		}
		r.asked[tag] = wasAsked
		r.Say("GitHub did not start a run of %s for %s, so this command requested a run", forge.Workflow, tag)
		asked.Tags = append(asked.Tags, tag)
		if err := r.writeAsked(asked); err != nil {
			return "", err
		}
	}
	return said + r.asked[tag], nil
}

// expects reports whether a run may still start for a tag that has none.
func (r *ci) expects(runs map[string]*github.Run) bool {
	return time.Since(r.begun) < 2*cmp.Or(r.RunWithin, runWithin) && slices.ContainsFunc(r.plan.Tags, func(tag string) bool {
		outcome, ok := r.asked[tag]
		return runs[tag] == nil && (!ok || outcome == wasAsked)
	})
}

// wasAsked is the outcome of a request that GitHub accepted.
const wasAsked = ", although this command requested a run"

// askedFor records the runs requested for one release.
type askedFor struct {
	Commit string   `json:"commit"`
	Tags   []string `json:"tags"`
}

func (r *ci) askedFile() string { return filepath.Join(r.State, "asked-runs.json") }

// readAsked reads the requested runs. It returns none if the file is about another release.
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
		//lint:ignore nilerr a file that cannot be read belongs to no release that continues
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

// describeReviewers describes who must approve a run.
func (r *ci) describeReviewers(ctx context.Context, run *github.Run) string {
	approvals, err := r.GitHub.Client.Approvals(ctx, run.ID)
	if err != nil || len(approvals) == 0 {
		return "someone must approve the run"
	}
	var said []string
	for _, a := range approvals {
		said = append(said, a.String())
	}
	return strings.Join(said, ", and ")
}

// findRuns returns the newest workflow run at the release commit, for each tag.
func (r *ci) findRuns(ctx context.Context) (map[string]*github.Run, error) {
	all, err := r.GitHub.Client.Runs(ctx, forge.Query(r.commit.Hash))
	if err != nil {
		return nil, err
	}
	runs := map[string]*github.Run{}
	for _, run := range slices.Backward(all) { // `all` is newest first, so the newest run wins
		if slices.Contains(r.plan.Tags, run.Ref) {
			runs[run.Ref] = &run
		}
	}
	return runs, nil
}

// compare compares the digests on the channel with those that the CI recorded. Without a token the record cannot be read, and the result says so.
// `own` lists the artifacts built here; nil if there are none.
func (r *ci) compare(ctx context.Context, s *publish.Sequence, own *Artifacts, items []publish.Published) (string, error) {
	const not = "digests not compared with what CI recorded: "
	switch {
	case r.GitHub.Client == nil:
		return not + "this command cannot ask this CI", nil
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
			return "", operr.NewStopped("find out who uploaded this file to the channel", "the channel has a file that the CI run %s did not record: %s", all[0].run.URL, i.File)
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

// compareWithOwn compares the CI's artifacts with those built here from the same commit. A difference is an error if both machines used the same
// pinned tools, because one of the two packages then contains something unexpected.
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
			return "", operr.NewStopped("find out why the two machines build different packages before anyone installs the published package; the channel was not changed, and no GitHub release was made",
				"%s was built from the same commit by the same tools, with sha256 %s here, but with sha256 %s by the CI run %s", a.File, a.SHA256, theirs, r.run.URL)
		}
	}
	if other > 0 {
		return fmt.Sprintf(", %d as built here, %d not compared since other tools built them", same, other), nil
	}
	return ", and as built here", nil
}

// readRecordings waits for the runs to end, and returns their records of published files, in tag order.
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

// recorded is a CI run's record of the packages that it published.
type recorded struct {
	run     *github.Run
	digests map[string]string // SHA-256 by file name
	tools   map[string]string // tools by package name
}

// digestsOf parses the output of `mage publish -json`.
func digestsOf(data []byte) (recorded, error) {
	var result struct {
		Packages []publish.Published `json:"packages"`
		Tools    map[string]string   `json:"tools"`
	}
	if err := json.Unmarshal(data, &result); err != nil {
		return recorded{}, operr.New("check that "+forge.Workflow+" keeps the output of `mage publish -json`", "reading the CI's record of the published packages: %w", err)
	}
	r := recorded{digests: map[string]string{}, tools: result.Tools}
	for _, p := range result.Packages {
		r.digests[p.File] = p.SHA256
	}
	return r, nil
}
