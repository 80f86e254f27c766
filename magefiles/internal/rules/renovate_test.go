package rules_test

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/imagepin"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// preset holds the parts of the Renovate configuration that these tests check.
type preset struct {
	Extends  []string
	Packages []struct {
		Names   []string `json:"matchPackageNames"`
		Enabled *bool
	} `json:"packageRules"`
	Managers []struct {
		Files []string `json:"managerFilePatterns"`
		Texts []string `json:"matchStrings"`
	} `json:"customManagers"`
}

func readPreset(t *testing.T, file string) (p preset) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", ".github", file))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &p))
	return p
}

// TestRenovateLeavesOurVersionsAlone checks that the preset's argument matches all packages of this repository and no other packages.
func TestRenovateLeavesOurVersionsAlone(t *testing.T) {
	p := readPreset(t, "renovate/pipeline.json")
	require.Len(t, p.Packages, 1)
	require.Equal(t, []string{"{{arg0}}"}, p.Packages[0].Names)
	require.False(t, *p.Packages[0].Enabled)
	require.Contains(t, p.Extends, "docker:pinDigests")

	ours := readPreset(t, "renovate.json")
	at := slices.IndexFunc(ours.Extends, func(e string) bool { return strings.Contains(e, "//.github/renovate/pipeline(") })
	require.GreaterOrEqual(t, at, 0)
	_, argument, _ := strings.Cut(strings.TrimSuffix(ours.Extends[at], ")"), "(")
	w, err := workspace.Load(filepath.Join("..", "..", ".."))
	require.NoError(t, err)
	require.NotEmpty(t, w.Packages)
	for _, pkg := range w.Packages {
		ok, err := path.Match(argument, pkg.Name)
		require.NoError(t, err)
		require.True(t, ok, "%s is not listed in %s, so Renovate would raise the pins on this package", pkg.Name, argument)
	}
	for _, other := range []string{"numpy", "python", "ghcr.io/prefix-dev/pixi", "actions/checkout"} {
		ok, err := path.Match(argument, other)
		require.NoError(t, err)
		require.False(t, ok, other)
	}
}

// TestRenovateSeesOurImages checks that Renovate finds every image that `mage lock` pins in a variable or an option, even before it is pinned.
func TestRenovateSeesOurImages(t *testing.T) {
	p := readPreset(t, "renovate/pipeline.json")
	require.Len(t, p.Managers, 1)
	find := func(text string) (found [][]string) {
		for _, pattern := range p.Managers[0].Texts {
			for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
				found = append(found, m[1:])
			}
		}
		return found
	}
	digest := "sha256:" + strings.Repeat("0", 64)
	for line, want := range map[string][]string{
		"  BUILDKIT_SBOM_GENERATOR: docker.io/docker/x:stable-1 # why": {"docker.io/docker/x", "stable-1", ""},
		"  PIXI_IMAGE: 'host:5000/o/pixi:0.77.0@" + digest + "'":       {"host:5000/o/pixi", "0.77.0", digest},
		"  BASE_IMAGE: debian": {"debian", "", ""},
		"  driver-opts: network=host,image=moby/buildkit:v1@" + digest: {"moby/buildkit", "v1", digest},
	} {
		require.Equal(t, [][]string{want}, find(line), line)
	}
	require.Empty(t, find("  OTHER_IMAGE: debian:12"))

	files, err := filepath.Glob(filepath.Join("..", "..", "..", ".github", "workflows", "publish*.yml"))
	require.NoError(t, err)
	require.Len(t, files, 2)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		places, _, err := imagepin.Workflow(text)
		require.NoError(t, err)
		var named []string
		for _, m := range find(string(text)) {
			named = append(named, m[0]+":"+m[1])
		}
		for _, place := range places {
			require.Contains(t, named, place.Ref, file)
		}
		require.Len(t, named, 2, file)
	}
}
