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

// Hub is GitHub, as far as it says what was set there by hand. *github.Client is one.
type Hub interface {
	EnvironmentRules(ctx context.Context, name string) (github.EnvironmentRules, error)
	MayOpenPullRequests(ctx context.Context) (bool, error)
	Details(ctx context.Context) (github.Details, error)
	RequiredChecks(ctx context.Context, branch string) (checks []string, known bool, err error)
}

// environmentOfRelease is the environment that release.yml publishes from.
const environmentOfRelease = "release"

// byHand looks at what somebody has to set on GitHub, once, before a CI may publish. The trusted publisher, which is the channel's, is not looked
// at.
func (d Doctor) byHand(ctx context.Context) []Finding {
	if d.Hub == nil {
		return nil
	}
	return append(d.byHandOfJobs(ctx), d.requiredCheck(ctx)...)
}

// theCheck is the job of ci.yml whose name stays, whatever a change touches.
const theCheck = "ci"

// requiredCheck looks whether the branch that releases are made from asks for the check of ci.yml, where that is one that ci:write writes.
func (d Doctor) requiredCheck(ctx context.Context) []Finding {
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
		return name == theCheck && several == "" // else nothing of that name ever comes, and to require it would block all
	}) {
		//lint:ignore nilerr what GitHub does not read, the linters say
		return nil
	}
	f := Finding{
		What: "the required check " + theCheck,
		For:  "that nothing is merged before ci.yml has passed",
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
		f.Found = "of " + branch + ": " + strings.Join(checks, ", ")
	case !known:
		f.Unknown = branch + " is protected, and GitHub tells what by only to those who administer the repository"
	case len(checks) > 0:
		f.Found, f.Careful = branch+" requires "+strings.Join(checks, ", ")+" alone", true
	}
	return []Finding{f}
}

// byHandOfJobs looks at what jobs need that publish.
func (d Doctor) byHandOfJobs(ctx context.Context) []Finding {
	if d.Workspace.Config.Publish != settings.PublishCI {
		return nil
	}
	release := Finding{
		What: "the environment release on GitHub",
		For:  "publishing by release.yml",
		Get:  "GitHub, Settings, Environments: make `release`, and let only the tags v* and */v* deploy to it",
	}
	switch rules, err := d.Hub.EnvironmentRules(ctx, environmentOfRelease); {
	case err != nil:
		release.Unknown = err.Error()
	case rules.There && !rules.Limited:
		release.Found, release.Careful = "every branch may deploy to it", true
		release.Get = "GitHub, Settings, Environments, release: let only the tags v* and */v* deploy to it"
	case rules.There && slices.ContainsFunc(rules.Patterns, takesAll):
		release.Found, release.Careful = "for "+strings.Join(rules.Patterns, ", ")+", which every branch is like", true
		release.Get = "GitHub, Settings, Environments, release: let only the tags v* and */v* deploy to it"
	case rules.There && !slices.ContainsFunc(rules.Patterns, takesReleases):
		release.Found, release.Careful = "for "+cmp.Or(strings.Join(rules.Patterns, ", "), "protected branches")+" alone, and no tag of a release", true
		release.Get = "GitHub, Settings, Environments, release: let the tags v* and */v* deploy to it"
	case rules.There:
		release.Found = "for " + strings.Join(rules.Patterns, ", ")
	}
	if d.Workspace.Config.Land != settings.LandByPull {
		return []Finding{release}
	}
	opens := Finding{
		What: "\"Allow GitHub Actions to create pull requests\"",
		For:  "release -pr by a CI that has no token of an App",
		Get:  "GitHub, Settings, Actions, General: tick it",
	}
	switch may, err := d.Hub.MayOpenPullRequests(ctx); {
	case err != nil:
		opens.Unknown = err.Error()
	case may:
		opens.Found = "ticked"
	}
	return []Finding{release, opens}
}

// takesAll reports whether a pattern is like every name, or like every one with a slash.
func takesAll(pattern string) bool { return strings.Trim(pattern, "*/") == "" }

// takesReleases reports whether a pattern is like tags of releases: v1.2.0, core/v1.2.0.
func takesReleases(pattern string) bool { return strings.HasPrefix(path.Base(pattern), "v") }
