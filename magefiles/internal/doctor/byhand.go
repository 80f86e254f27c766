package doctor

import (
	"cmp"
	"context"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Hub asks GitHub for the settings that people make there by hand. *github.Client is one.
type Hub interface {
	EnvironmentRules(ctx context.Context, name string) (github.EnvironmentRules, error)
	MayOpenPullRequests(ctx context.Context) (bool, error)
	Details(ctx context.Context) (github.Details, error)
	RequiredChecks(ctx context.Context, branch string) (checks []string, known bool, err error)
}

// environmentOfRelease is the environment that release.yml publishes from.
const environmentOfRelease = "release"

// checkManualSettings checks the settings that must be made by hand on GitHub before a CI can publish. It does not check the trusted publisher, which
// is a setting of the channel.
func (d Doctor) checkManualSettings(ctx context.Context) []Finding {
	if d.Hub == nil {
		return nil
	}
	return append(d.checkJobSettings(ctx), d.checkRequiredCheck(ctx)...)
}

// theCheck is the name of the job in ci.yml that runs for every change.
const theCheck = "ci"

// checkRequiredCheck checks that the release branch requires the check ci. It reports nothing if ci.yml has no such job.
func (d Doctor) checkRequiredCheck(ctx context.Context) []Finding {
	repo, err := gitrepo.Open(ctx, d.Runner, d.Workspace.Root)
	if err != nil {
		return nil
	}
	text, err := beneath.ReadFile(repo.Top, filepath.Join(repo.Top, ".github", "workflows", "ci.yml"))
	if err != nil {
		return nil
	}
	w, err := file.Read("ci.yml", text)
	if err != nil || !slices.ContainsFunc(w.Jobs, func(j *file.Job) bool {
		name, several := j.Check()
		return name == theCheck && several == "" // a matrix or a called workflow never reports this name, so requiring it would block all merges
	}) {
		//lint:ignore nilerr the linters report a workflow file that GitHub cannot read
		return nil
	}
	f := Finding{
		What: "the required check " + theCheck,
		For:  "merging changes only after ci.yml has passed",
	}
	hub, err := d.Hub.Details(ctx)
	if err != nil {
		f.Unknown = err.Error()
		return []Finding{f}
	}
	branch, _ := d.Workspace.Config.ReleaseBranch("", hub.DefaultBranch)
	branch = cmp.Or(branch, hub.DefaultBranch)
	f.Get = "GitHub, Settings, Rules, Rulesets: require the status check " + theCheck + " on " + branch
	switch checks, known, err := d.Hub.RequiredChecks(ctx, branch); {
	case err != nil:
		f.Unknown = err.Error()
	case slices.Contains(checks, theCheck):
		f.Found = "required by " + branch + ": " + strings.Join(checks, ", ")
	case !known:
		f.Unknown = branch + " is protected, but GitHub shows the rules only to administrators of the repository"
	case len(checks) > 0:
		f.Found, f.Careful = branch+" requires "+strings.Join(checks, ", ")+" and no other check", true
	}
	return []Finding{f}
}

// checkJobSettings looks at the settings that publishing jobs need.
func (d Doctor) checkJobSettings(ctx context.Context) []Finding {
	if d.Workspace.Config.Publish != settings.PublishCI {
		return nil
	}
	release := Finding{
		What: "the environment release on GitHub",
		For:  "publishing by release.yml",
		Get:  "GitHub, Settings, Environments: create `release`, and let only the tags v* and */v* deploy to this environment",
	}
	switch rules, err := d.Hub.EnvironmentRules(ctx, environmentOfRelease); {
	case err != nil:
		release.Unknown = err.Error()
	case rules.There && !rules.Limited:
		release.Found, release.Careful = "allows every branch to deploy", true
		release.Get = "GitHub, Settings, Environments, release: let only the tags v* and */v* deploy to this environment"
	case rules.There && slices.ContainsFunc(rules.Patterns, takesAll):
		release.Found, release.Careful = "allows "+strings.Join(rules.Patterns, ", ")+", and so every branch, to deploy", true
		release.Get = "GitHub, Settings, Environments, release: let only the tags v* and */v* deploy to this environment"
	case rules.There && !slices.ContainsFunc(rules.Patterns, takesReleases):
		release.Found, release.Careful = "allows only "+cmp.Or(strings.Join(rules.Patterns, ", "), "protected branches")+" to deploy, but no tag of a release", true
		release.Get = "GitHub, Settings, Environments, release: let the tags v* and */v* deploy to this environment"
	case rules.There:
		release.Found = "allows these refs to deploy: " + strings.Join(rules.Patterns, ", ")
	}
	if d.Workspace.Config.Land != settings.LandByPull {
		return []Finding{release}
	}
	opens := Finding{
		What: "\"Allow GitHub Actions to create pull requests\"",
		For:  "`release -pr` in a CI that has no token of a GitHub App",
		Get:  "GitHub, Settings, Actions, General: tick this box",
	}
	switch may, err := d.Hub.MayOpenPullRequests(ctx); {
	case err != nil:
		opens.Unknown = err.Error()
	case may:
		opens.Found = "ticked"
	}
	return []Finding{release, opens}
}

// takesAll reports whether a pattern matches all names, or all names with a slash.
func takesAll(pattern string) bool { return strings.Trim(pattern, "*/") == "" }

// takesReleases reports whether a pattern matches tags of releases: v1.2.0, core/v1.2.0.
func takesReleases(pattern string) bool { return strings.HasPrefix(path.Base(pattern), "v") }
