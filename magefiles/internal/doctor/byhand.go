package doctor

import (
	"context"
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
	case rules.There && len(rules.Patterns) > 0 && !slices.ContainsFunc(rules.Patterns, func(p string) bool { return strings.Contains(p, "v*") || p == "*" }):
		release.Found, release.Careful = "for "+strings.Join(rules.Patterns, ", ")+" alone, and no tag of a release", true
		release.Get = "GitHub, Settings, Environments, release: let the tags v* and */v* deploy to it"
	case rules.There:
		release.Found = "for " + strings.Join(append(rules.Patterns, "protected branches")[:max(1, len(rules.Patterns))], ", ")
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
