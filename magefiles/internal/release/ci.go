package release

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// What the workflow that publishes is called, the environment of its job that uploads, and what it keeps of `mage publish -json`.
const (
	Workflow    = "release.yml"
	Environment = "release"
	Recording   = "publish-result"

	// RecordingFile is its name in the folder of artifacts.
	RecordingFile = "publish.json"
)

func hubQuery(commit string) github.Query {
	return github.Query{Commit: commit, Workflow: Workflow}
}

// ciCredential says whether a workflow is there that publishes for a tag, and may ask for a token.
func (r *Release) ciCredential() string {
	files, _ := filepath.Glob(filepath.Join(r.Repo.Top, ".github", "workflows", "*.y*ml")) // the pattern is well-formed
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && bytes.Contains(text, []byte("tags:")) && bytes.Contains(text, []byte("mage publish")) && bytes.Contains(text, []byte("id-token: write")) {
			return "CI publishes (" + filepath.Base(file) + ", by trusted publishing)"
		}
	}
	return "CI publishes, though no file in .github/workflows runs `mage publish` for a tag with `id-token: write`: it has to be there, or -publish=here"
}

// waitForCI waits until the channel has every package of the release. Meanwhile it watches the run of the workflow, where
// GitHub can be asked: one that failed ends the wait.
func (r *Release) waitForCI(ctx context.Context) (Published, error) {
	most := r.CIWait
	if most == 0 {
		most = time.Hour
	}
	begin, told := time.Now(), time.Duration(0)
	for next := time.Second / 5; ; next = min(3*next/2, 15*time.Second) {
		found, done, err := r.isPublished(ctx, nil)
		if err != nil || done {
			return found, err
		}
		where, err := r.watch(ctx)
		if err != nil {
			return Published{}, err
		}
		waited := time.Since(begin)
		if waited > most {
			return Published{}, operr.New("see what it does; `mage release` goes on waiting", "after %v the channel does not have all of %s; %s", most, r.plan.Title, where)
		}
		if waited-told > 10*time.Second {
			told = waited
			r.Say("  ▸ waiting for CI (%v of %v): %s; Ctrl-C leaves, `mage release` goes on waiting", waited.Round(time.Second), most, where)
		}
		if err := pause.For(ctx, next); err != nil {
			return Published{}, err
		}
	}
}

// watch says where the CI is at work, and fails where it has ended without success.
func (r *Release) watch(ctx context.Context) (string, error) {
	if r.GitHub.Client == nil {
		return "see the runs of " + Workflow + " for " + r.plan.Title, nil
	}
	run, err := r.run(ctx)
	page := "https://github.com/" + r.GitHub.Repository + "/actions/workflows/" + Workflow
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "see " + page + " (it cannot be asked: " + err.Error() + ")", nil
	case run == nil:
		return "no run of " + Workflow + " has begun yet: see " + page, nil
	case run.Completed() && !run.Succeeded():
		return "", operr.New(run.Next()+"; then `mage release`", "the CI that publishes %s ended without success (%s): %s", r.plan.Title, run.Conclusion, run.URL)
	}
	return run.Status + ": " + run.URL, nil
}

// run is the newest run of the workflow for the commit of the release; nil where there is none.
func (r *Release) run(ctx context.Context) (*github.Run, error) {
	runs, err := r.GitHub.Client.Runs(ctx, hubQuery(r.commit.Get().Hash))
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	return &runs[0], nil
}

// compareWithCI holds the channel's digests against those that the CI recorded when it had published. Without a token they
// cannot be read, which is said.
func (r *Release) compareWithCI(ctx context.Context, items []publish.Published) (string, error) {
	const not = "digests not compared with what CI recorded: "
	switch {
	case r.GitHub.Client == nil:
		return not + "the remote is not on GitHub", nil
	case !r.GitHub.Token:
		return not + "there is no GITHUB_TOKEN", nil
	}
	recorded, run, err := r.recording(ctx)
	if err != nil {
		return "", err
	}
	if run == nil {
		return not + "no run of " + Workflow + " is known for this commit", nil
	}
	for _, i := range items {
		want, ok := recorded[i.File]
		if !ok {
			return "", operr.NewStopped("find out who published it", "the CI run %s did not record %s, and the channel has it", run.URL, i.File)
		}
		if want != i.SHA256 {
			return "", differs(i, want, "was recorded by the CI run "+run.URL)
		}
	}
	return fmt.Sprintf("%s as CI recorded (%s)", operr.Count(len(items), "digest"), run.URL), nil
}

// recording waits for the run to end, and returns the sha256 of each file that it published.
func (r *Release) recording(ctx context.Context) (map[string]string, *github.Run, error) {
	for next := time.Second / 5; ; next = min(3*next/2, 15*time.Second) {
		if _, err := r.watch(ctx); err != nil {
			return nil, nil, err
		}
		run, err := r.run(ctx)
		if err != nil || run == nil {
			return nil, nil, err
		}
		if run.Completed() {
			data, err := r.GitHub.Client.Artifact(ctx, run.ID, Recording)
			if err != nil {
				return nil, nil, err
			}
			digests, err := digestsOf(data)
			return digests, run, err
		}
		if err := pause.For(ctx, next); err != nil {
			return nil, nil, err
		}
	}
}

// digestsOf reads what `mage publish -json` prints.
func digestsOf(data []byte) (map[string]string, error) {
	var result struct {
		Packages []publish.Published `json:"packages"`
	}
	if err := json.Unmarshal(data, &result); err != nil {
		return nil, operr.New("see whether release.yml keeps what `mage publish -json` prints", "reading what the CI recorded: %w", err)
	}
	digests := map[string]string{}
	for _, p := range result.Packages {
		digests[p.File] = p.SHA256
	}
	return digests, nil
}
