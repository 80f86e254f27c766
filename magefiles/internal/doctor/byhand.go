package doctor

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Hub is GitHub, as far as it says what was set there by hand. *github.Client is one.
type Hub interface {
	EnvironmentRules(ctx context.Context, name string) (github.EnvironmentRules, error)
	MayOpenPullRequests(ctx context.Context) (bool, error)
}

// environmentOfRelease is the environment that release.yml publishes from.
const environmentOfRelease = "release"

// byHand looks at what somebody has to set on GitHub, once, before a CI may publish. The trusted publisher, which is the channel's, and the check that a
// branch requires are not looked at.
func (d Doctor) byHand(ctx context.Context) []Finding {
	if d.Hub == nil || d.Workspace.Config.Publish != settings.PublishCI {
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
