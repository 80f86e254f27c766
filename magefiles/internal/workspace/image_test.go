package workspace

import (
	"testing"
	"time"

	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
	"github.com/stretchr/testify/require"
)

func TestImage(t *testing.T) {
	read := func(t *testing.T, table string) (*settings.Image, error) {
		w, err := Load(repo(t, `
-- pixi.toml --
[workspace]
name = "w"
channels = []
platforms = []
-- lib/pixi.toml --
[package]
name = "lib"
version = "1.0.0"
[package.build]
backend = { name = "pixi-build-cmake" }
-- app/pixi.toml --
[workspace]
name = "theapp"
platforms = ["linux-64", "linux-aarch64"]
channels = ["https://prefix.dev/ours"]
[dependencies]
lib = "==1.0.0"
[tasks]
check = "python -c 'import lib'"
`+table))
		if err != nil {
			return nil, err
		}
		return w.Downstreams[0].Image, nil
	}
	none, err := read(t, "")
	require.NoError(t, err)
	require.Nil(t, none)

	plain, err := read(t, "[tool.image]\n")
	require.NoError(t, err)
	require.Equal(t, &settings.Image{
		Name:             "theapp",
		Platforms:        []string{"linux/amd64"},
		Check:            []string{"sh", "-c", "python -c 'import lib'"},
		Cache:            "none",
		RewriteTimestamp: true,
		Pos:              manifest.Pos{File: "app/pixi.toml", Line: 9, Col: 7},
	}, plain)

	only, err := read(t, "[tool.image]\n[target.linux-64.tasks]\ncheck = \"true\"\n[feature.x.tasks]\ncheck = \"true\"\n")
	require.NoError(t, err)
	require.Equal(t, plain.Check, only.Check, "tasks of a platform or of another feature are not used")

	full, err := read(t, `[tool.image]
name = "Other"
platforms = ["linux/arm64", "linux/amd64"]
registry = "r.example/Someone"
check = ["true"]
check-timeout = "90s"
cache = "registry"
publish = "ci"
workflow = "images.yml"
rewrite-timestamp = false
ssh = true
secrets = ["NPM_TOKEN", "MIRROR_PASSWORD"]
`)
	require.NoError(t, err)
	full.Pos = manifest.Pos{}
	require.Equal(t, &settings.Image{
		Name:         "Other",
		Platforms:    []string{"linux/arm64", "linux/amd64"},
		Registry:     "r.example/Someone",
		Check:        []string{"true"},
		CheckTimeout: 90 * time.Second,
		Cache:        "registry",
		Publish:      settings.PublishCI,
		Workflow:     "images.yml",
		SSH:          true,
		Secrets:      []string{"NPM_TOKEN", "MIRROR_PASSWORD"},
	}, full)

	for table, want := range map[string]string{
		"[tool.image]\nplatform = []\n":                   `app/pixi.toml:10:1: [tool.image] has no key platform`,
		"[tool.image]\nplatforms = []\n":                  `app/pixi.toml:10:13: the image has no platform`,
		"[tool.image]\nplatforms = [\"linux/s390x\"]\n":   `app/pixi.toml:10:14: conda has no platform for "linux/s390x"`,
		"[tool.image]\nplatforms = [\"linux/ppc64le\"]":   `app/pixi.toml:10:14: the image is built for linux/ppc64le, but platforms of [workspace] does not have linux-ppc64le`,
		"[tool.image]\ncache = \"much\"\n":                `app/pixi.toml:10:9: cache cannot be "much"`,
		"[tool.image]\nworkflow = \"a/b.yml\"\n":          `app/pixi.toml:10:12: workflow cannot be "a/b.yml"`,
		"[tool.image]\nworkflow = \"-x.yml\"\n":           `app/pixi.toml:10:12: workflow cannot be "-x.yml"`,
		"[tool.image]\nworkflow = \"images\"\n":           `app/pixi.toml:10:12: workflow cannot be "images"`,
		"[tool.image]\ncheck-timeout = \"soon\"\n":        `app/pixi.toml:10:17: "soon" is not a duration`,
		"[tool.image]\ncheck-timeout = \"-1s\"\n":         `app/pixi.toml:10:17: "-1s" is not a duration`,
		"[tool.image]\ncheck-timeout = 90\n":              `app/pixi.toml:10:17: check-timeout must be a string, and is an integer`,
		"[tool.image]\nssh = \"yes\"\n":                   `app/pixi.toml:10:7: ssh must be a boolean, and is a string`,
		"[tool.image]\nsecrets = [\"a b\"]\n":             `app/pixi.toml:10:12: secrets cannot have "a b"`,
		"[tool.image]\nsecrets = [\"PREFIX_API_KEY\"]":    `app/pixi.toml:10:12: secrets cannot have "PREFIX_API_KEY": this variable allows publishing`,
		"[tool.image]\nsecrets = [\"PIXI_CONFIG\"]\n":     `app/pixi.toml:10:12: secrets cannot have "PIXI_CONFIG": a build gets that file if the file exists`,
		"[tool.image]\nsecrets = [\"X_TOKEN\", \"HOME\"]": `app/pixi.toml:10:23: secrets cannot have "HOME"`,
		"[tool.images]\nname = \"x\"\n":                   `app/pixi.toml:9:7: nothing reads the table [tool.images]`,
		"[tool.deplyo.staging]\nhosts = []\n":             `app/pixi.toml:9:7: nothing reads the table [tool.deplyo]`,
		"[tool.image]\nsecrets = [\"npm_abcdefgh\"]\n":    `app/pixi.toml:10:12: secrets must be a name, but its value looks like a key`,
		"[tool.image]\nname = 1\n":                        `app/pixi.toml:10:8: name must be a string, and is an integer`,
	} {
		_, err := read(t, table)
		require.EqualError(t, err, want)
	}
}

// A task that depends on pixi features is not used to check an image.
func TestTasksThatAShellCannotRun(t *testing.T) {
	for task, plain := range map[string]bool{
		`"pytest"`: true, `{ cmd = "pytest", description = "d" }`: true, `{ cmd = ["python", "-c", "print(1)"] }`: true,
		`{ cmd = "pytest", cwd = "tests" }`: false, `{ cmd = "pytest", env = { A = "1" } }`: false,
		`{ cmd = "pytest {{ x }}", args = ["x"] }`: false, `{ depends-on = ["other"] }`: false,
	} {
		w := load(t, "-- pixi.toml --\n[workspace]\n"+corePackage+`-- app/pixi.toml --
[workspace]
name = "theapp"
platforms = ["linux-64"]
channels = ["https://prefix.dev/ours"]
[dependencies]
acme-core = "==1.0.0"
[tasks]
other = "true"
check = `+task+"\n[tool.image]\n")
		require.Equal(t, plain, w.Downstreams[0].Image.Check != nil, task)
	}
}

// An image's default platform must be one of the workspace's platforms.
func TestImageOfAWorkspaceWithoutItsDefaultPlatform(t *testing.T) {
	const archive = `
-- pixi.toml --
[workspace]
name = "w"
channels = []
platforms = []
-- lib/pixi.toml --
[package]
name = "lib"
version = "1.0.0"
[package.build]
backend = { name = "pixi-build-cmake" }
-- app/pixi.toml --
[workspace]
name = "theapp"
platforms = ["osx-arm64", "linux-aarch64"]
channels = ["https://prefix.dev/ours"]
[dependencies]
lib = "==1.0.0"
[tool.image]
`
	_, err := Load(repo(t, archive))
	require.EqualError(t, err, "app/pixi.toml:7:7: the image is built for linux/amd64 by default, but platforms of [workspace] does not have linux-64")

	w, err := Load(repo(t, archive+"platforms = [\"linux/arm64\"]\n"))
	require.NoError(t, err)
	require.Equal(t, []string{"linux/arm64"}, w.Downstreams[0].Image.Platforms)
}
