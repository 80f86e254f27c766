package ciwrite

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/lint/linttest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

const (
	root   = "-- pixi.toml --\n[workspace]\nname = \"acme\"\nchannels = []\nplatforms = [\"linux-64\", \"linux-aarch64\"]\n"
	mage   = "-- go.mod --\nmodule example.org/acme\ntool github.com/magefile/mage\n"
	member = "[package]\nversion = \"1.0.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\" }\nconfig = { ignore-pyproject-manifest = true }\n"
	app    = "[workspace]\nname = \"shop\"\nchannels = [\"https://prefix.dev/acme\"]\nplatforms = [\"linux-64\", \"linux-aarch64\"]\n[dependencies]\nbase = \"==1.0.0\"\n"
)

// `named` returns the manifest of a package.
func named(name string) string {
	return strings.Replace(member, "[package]\n", "[package]\nname = \""+name+"\"\n", 1)
}

// An example is a workspace, the files that are generated for it, and texts that these files must contain.
type example struct {
	archive  string
	settings Settings // Top is the archive's folder
	below    string   // the workspace's folder in the archive; "" is the top

	files []string
	says  map[string][]string // texts that each file contains, or, after a !, does not contain
}

var examples = map[string]example{
	"one package in the root folder": {
		archive: root + "[tasks]\ntest = \"pytest\"\n" + named("base") + mage,
		files:   []string{"ci.yml", "release.yml"},
		says: map[string][]string{
			"ci.yml":      {`go tool mage test:package "$PACKAGE"`, "branches: [main]", `python: ["3.11", "3.12", "3.13"]`, "needs: [plan, tests, check, rehearse]", "!setup-pixi", "!oldest"},
			"release.yml": {`tags: ["v*", "*/v*"]`, "id-token: write", "!secrets.", `python-version: "3.13"`},
		},
	},
	"packages in folders, with separate versions": {
		archive: root + "[tasks]\nqa-base = \"true\"\nqa-more = \"true\"\ntest-base = \"true\"\ntest-more = \"true\"\n[tool.release]\nversioning = \"independent\"\nbranch = [\"master\", \"1.*\", \"v?\"]\n" +
			"-- packages/base/pixi.toml --\n" + named("base") + "-- packages/more/pixi.toml --\n" + named("more") + "[package.run-dependencies]\npython = \">=3.12\"\n" +
			"-- oldest.toml --\nresolution = \"lowest-direct\"\n" + mage,
		settings: Settings{Branch: "master"},
		files:    []string{"ci.yml", "release.yml"},
		says: map[string][]string{
			"ci.yml":      {`branches: [master, "1.*"]`, `python: ["3.12", "3.13"]`, "needs: [plan, qa, oldest, check, rehearse]", "UV_CONFIG_FILE: ${{ github.workspace }}/oldest.toml", `qa:package "$PACKAGE"`},
			"release.yml": {`tags: ["v*", "*/v*"]`},
		},
	},
	"released by a pull request, from two branches": {
		archive: root + "[tasks]\ntest = \"pytest\"\n[tool.release]\nland = \"pull-request\"\nbranch = [\"main\", \"1.*\"]\n-- base/pixi.toml --\n" + named("base") + mage,
		files:   []string{"ci.yml", "release-pr.yml", "release.yml"},
		says: map[string][]string{
			"release-pr.yml": {`branches: [main, "1.*"]`, "go tool mage release -pr -to=auto -yes", "run: go tool mage test:all build:all\n", `release -pr -tag="$LANDED"`, "!qa:all", "!setup-pixi"},
			"release.yml":    {"inputs.hub", "publish -announce"},
		},
	},
	"released by a pull request, with pixi and nothing to check": {
		archive: root + "[tool.release]\nland = \"pull-request\"\n-- pixi.lock --\nversion: 6\n-- base/pixi.toml --\n" + named("base") + mage,
		files:   []string{"ci.yml", "release-pr.yml", "release.yml"},
		says:    map[string][]string{"release-pr.yml": {"branches: [main]", "setup-pixi@", "run: go tool mage build:all\n", "!test:all", "!qa:all"}},
	},
	"a downstream without an image": {
		archive: root + "-- base/pixi.toml --\n" + named("base") + "-- shop/pixi.toml --\n" + app + mage,
		files:   []string{"ci.yml", "release.yml"},
		says: map[string][]string{
			"ci.yml": {"needs: [check, rehearse]", "!plan:", "!matrix:"},
		},
	},
	"a downstream with an image": {
		archive: root + "-- base/pixi.toml --\n" + named("base") + "-- services/shop/pixi.toml --\n" + app + "[tool.image]\nplatforms = [\"linux/amd64\", \"linux/arm64\"]\n" + mage,
		files:   []string{"ci.yml", "publish-shop.yml", "release.yml"},
		says: map[string][]string{
			"publish-shop.yml": {
				`paths: ["services/shop/**", ".github/workflows/publish-shop.yml"]`, `docker:image services/shop -platform="$PLATFORM" -push -yes`, "docker:merge services/shop -yes",
				"path: output/images/services/shop/*.digest", "platform: linux/arm64, runner: ubuntu-24.04-arm, artifact: arm64", "packages: write", "!deploy", "!environment:",
			},
		},
	},
	"an application that is deployed": {
		archive: root + "-- base/pixi.toml --\n" + named("base") + "-- shop/pixi.toml --\n" + app + "[tool.image]\nworkflow = \"image.yml\"\n" +
			"[tool.deploy.production]\nhosts = [\"a\"]\nport = 80\nafter = \"staging\"\nsecrets = [\"APP_KEY\"]\nenvironment = [\"GREETING\"]\n" +
			"[tool.deploy.staging]\nhosts = [\"b\"]\nport = 80\n[tool.deploy.2nd]\nhosts = [\"c\"]\nport = 80\nafter = \"production\"\n" + mage,
		files: []string{"ci.yml", "deploy.yml", "image.yml", "release.yml"},
		says: map[string][]string{
			"image.yml": {"uses: ./.github/workflows/deploy.yml", "name: image\n"},
			"deploy.yml": {
				`options: [staging, production, "2nd"]`, `deploy:to 2nd -digest="$DIGEST" -tag="$TAG" -wait=15m -yes`, "  _2nd: #", "needs: production", "group: deploy-2nd",
				"APP_KEY: ${{ secrets.APP_KEY }}", "GREETING: ${{ vars.GREETING }}", "packages: read",
			},
		},
	},
	"with a pixi.lock": {
		archive: root + "[tasks]\nqa-base = \"true\"\n-- pixi.lock --\nversion: 6\n-- oldest.toml --\n-- base/pixi.toml --\n" + named("base") + "-- shop/pixi.toml --\n" + app + "[tool.image]\n" + mage,
		files:   []string{"ci.yml", "publish-shop.yml", "release.yml"},
		says: map[string][]string{
			"ci.yml":           {"prefix-dev/setup-pixi@", "pixi-version: v", "run-install: false", "!setup-python", "!python:", "!oldest"},
			"release.yml":      {"prefix-dev/setup-pixi@", "!setup-python"},
			"publish-shop.yml": {"!setup-pixi", "!setup-python", "!arm64"},
		},
	},
	"published with a key, to a private channel": {
		archive: root + "[tool.release]\nsecret = \"CHANNEL_KEY\"\nread-secret = \"CHANNEL_READS\"\n-- base/pixi.toml --\n" + named("base") + mage,
		files:   []string{"ci.yml", "release.yml"},
		says: map[string][]string{
			"release.yml": {"PREFIX_API_KEY: ${{ secrets.CHANNEL_KEY }}", "PREFIX_API_KEY: ${{ secrets.CHANNEL_READS }}", "!id-token", "!trusted", "environment: release"},
		},
	},
	"published from here, on a branch with an odd name": {
		archive:  root + "[tool.release]\npublish = \"here\"\n-- base/pixi.toml --\n" + named("base") + mage,
		settings: Settings{Branch: "on!"},
		files:    []string{"ci.yml"},
		says:     map[string][]string{"ci.yml": {`branches: ["on\\!"]`}},
	},
	"a package with a submodule": {
		archive: root + "[tasks]\ntest = \"true\"\n-- base/pixi.toml --\n" + named("base") + "-- .gitmodules --\n[submodule \"data\"]\n\tpath = base/src/data\n\turl = ../data.git\n" + mage,
		files:   []string{"ci.yml", "release.yml"},
		says:    map[string][]string{"ci.yml": {"submodules: recursive"}, "release.yml": {"submodules: recursive"}},
	},
	"a version from tags": {
		archive: root + "[tasks]\ntest = \"true\"\n-- base/pixi.toml --\n[package]\nname = \"base\"\nversion = \"1.0.0\"\nbuild.backend.name = \"pixi-build-python\"\n" +
			"-- base/pyproject.toml --\n[project]\nname = \"base\"\ndynamic = [\"version\"]\n[tool.setuptools_scm]\n" + mage,
		files: []string{"ci.yml", "release.yml"},
		says:  map[string][]string{"ci.yml": {"fetch-depth: 0 # versions are made from tags"}},
	},
	"a submodule outside of all packages": {
		archive: root + "-- base/pixi.toml --\n" + named("base") + "-- .gitmodules --\n[submodule \"theme\"]\n\tpath = docs/base\n\turl = ../theme.git\n" + mage,
		files:   []string{"ci.yml", "release.yml"},
		says:    map[string][]string{"ci.yml": {"!submodules"}, "release.yml": {"!submodules"}},
	},
	"a second module that uses Mage for something else": {
		archive: root + "-- base/pixi.toml --\n" + named("base") + mage + "-- magefiles/go.mod --\nmodule example.org/acme/magefiles\ntool github.com/magefile/mage\nrequire github.com/foopack/foopack v0.9.0\n",
		files:   []string{"ci.yml", "release.yml"},
		says:    map[string][]string{"ci.yml": {"run: go -C magefiles tool mage -d .. check", "go-version-file: magefiles/go.mod"}},
	},
	"folders with odd names": {
		archive: root + "-- base/pixi.toml --\n" + named("base") + "-- it's [1] & co: #2/pixi.toml --\n" + app + "[tool.image]\n" +
			"[tool.deploy.on]\nhosts = [\"a\"]\nport = 80\n" + mage,
		files: []string{"ci.yml", "deploy.yml", "publish-it-s-1-co-2.yml", "release.yml"},
		says: map[string][]string{
			"publish-it-s-1-co-2.yml": {
				`paths: ["it's \\[1\\] & co: #2/**", ".github/workflows/publish-it-s-1-co-2.yml"]`, `"go tool mage docker:merge 'it'\\''s [1] & co: #2' -yes"`,
				`path: "output/images/it's ?1? & co: #2/*.digest"`,
			},
			"deploy.yml": {`options: ["on"]`, `environment: "on"`},
		},
	},
	"several images": {
		archive: root + "-- base/pixi.toml --\n" + named("base") +
			"-- a/shop/pixi.toml --\n" + app + "[tool.image]\nname = \"a\"\nsecrets = [\"NPM_TOKEN\"]\n[tool.deploy.live]\nhosts = [\"a\"]\nport = 80\n" +
			"-- b/shop/pixi.toml --\n" + app + "[tool.image]\nname = \"b\"\nregistry = \"registry.example.org:5000/acme\"\n[tool.deploy.live]\nhosts = [\"b\"]\nport = 80\n" +
			"-- c/ci/pixi.toml --\n" + app + "[tool.image]\nname = \"c\"\nregistry = \"acme\"\n" + mage,
		files: []string{"ci.yml", "deploy-b-shop.yml", "deploy-shop.yml", "publish-b-shop.yml", "publish-ci.yml", "publish-shop.yml", "release.yml"},
		says: map[string][]string{
			"publish-shop.yml":   {"NPM_TOKEN: ${{ secrets.NPM_TOKEN }}", "environment: images", "uses: ./.github/workflows/deploy-shop.yml"},
			"publish-b-shop.yml": {`registry: registry.example.org:5000`, "secrets.REGISTRY_PASSWORD", "!packages:", "environment: images"},
			"publish-ci.yml":     {"registry: docker.io", "!deploy"},
			"deploy-shop.yml":    {"-only=a/shop -wait"},
			"deploy-b-shop.yml":  {"-only=b/shop -wait", "secrets.REGISTRY_PASSWORD", "!packages:"},
		},
	},
	"in a folder of the repository, with Mage beside another module": {
		archive: strings.ReplaceAll(root+"[tasks]\ntest = \"true\"\n-- base/pixi.toml --\n"+named("base")+"-- shop/pixi.toml --\n"+app+"[tool.image]\n-- go.mod --\nmodule example.org/other\n"+
			"-- magefiles/go.mod --\nmodule example.org/acme\ntool (\n\tgithub.com/magefile/mage\n)\nrequire github.com/magefile/mage v1.15.0\n", "-- ", "-- python/"),
		below: "python",
		files: []string{"ci.yml", "publish-shop.yml", "release.yml"},
		says: map[string][]string{
			"ci.yml":           {"run: go -C magefiles tool mage -d .. check", "working-directory: python", "go-version-file: python/magefiles/go.mod", "cache-dependency-path: python/magefiles/go.sum"},
			"release.yml":      {"            python/output/*.conda\n", "path: python/output/publish.json", `go -C magefiles tool mage -d .. publish -yes -from="$RUNNER_TEMP/packages"`},
			"publish-shop.yml": {`paths: ["python/shop/**"`, "path: python/output/images/shop/*.digest", "docker:image shop -platform"},
		},
	},
	"in a folder whose name has YAML syntax": {
		archive: strings.ReplaceAll(root+"[tasks]\ntest-base = \"true\"\n-- base/pixi.toml --\n"+named("base")+"-- oldest.toml --\nresolution = \"lowest-direct\"\n"+mage, "-- ", "-- my #1: [py]/"),
		below:   "my #1: [py]",
		files:   []string{"ci.yml", "release.yml"},
		says: map[string][]string{
			"ci.yml":      {`UV_CONFIG_FILE: "${{ github.workspace }}/my #1: [py]/oldest.toml"`, `working-directory: "my #1: [py]"`},
			"release.yml": {"            my #1: ?py?/output/*.conda\n", `path: "my #1: ?py?/output/publish.json"`},
		},
	},
}

// unpacked writes an archive, and returns its folder.
func unpacked(t *testing.T, archive string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	for _, f := range txtar.Parse([]byte(archive)).Files {
		put(t, dir, f.Name, string(f.Data))
	}
	return dir
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
}

// planned returns the plan of an example.
func planned(t *testing.T, e example) (top string, files []File) {
	t.Helper()
	top = unpacked(t, e.archive)
	w, err := workspace.Load(filepath.Join(top, e.below))
	require.NoError(t, err)
	e.settings.Top = top
	files, err = Plan(w, e.settings)
	require.NoError(t, err)
	return top, files
}

// For each of these workspaces the files are as expected, GitHub would read them, and neither zizmor nor actionlint finds anything.
func TestTenWorkspaces(t *testing.T) {
	require.GreaterOrEqual(t, len(examples), 10)
	for name, e := range examples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			top, files := planned(t, e)
			texts := map[string]string{}
			for _, f := range files {
				require.Equal(t, Absent, f.State)
				texts[path.Base(f.Path)] = f.New
				hold(t, f)
			}
			got := []string{}
			for name := range texts {
				got = append(got, name)
			}
			slices.Sort(got)
			require.Equal(t, e.files, got)
			for name, all := range e.says {
				for _, text := range all {
					if not, without := strings.CutPrefix(text, "!"); without {
						require.NotContains(t, texts[name], not, name)
					} else {
						require.Contains(t, texts[name], text, name)
					}
				}
			}
			require.NoError(t, Save(top, files))
			_, again := planned(t, e)
			require.Equal(t, files, again, "the same workspace gives the same text")
			linttest.Workflows(t, top)
		})
	}
}

// ignored holds the findings of zizmor that files ignore, each with its reason. No finding of actionlint is ignored.
var ignored = map[string]string{
	"self-repository": "actionlint does not know the other form yet",
	"secrets-inherit": "the secrets of an environment reach a workflow that is called in no other way",
}

// hold checks the text of a file: each job that runs anything calls mage once, actions are pinned to commits, each right has a comment, and each
// ignored finding of a linter has a reason.
func hold(t *testing.T, f File) {
	t.Helper()
	w, err := file.Read(f.Path, []byte(f.New))
	require.NoError(t, err)
	for _, doubt := range workflows.Doubts(fstest.MapFS{".github/workflows/" + path.Base(f.Path): {Data: []byte(f.New)}}, nil) {
		require.Contains(t, doubt, "no file of the commit matches", "generated files cause no doubts")
	}
	for _, j := range w.Jobs {
		if j.Uses != "" {
			continue
		}
		require.Len(t, j.Runs, 1, "%s: %s", f.Path, j.ID)
		require.Regexp(t, `^go (-C magefiles )?tool mage (-d \.\. )?[a-z]+(:[a-z]+)?( |$)`, j.Runs[0], f.Path)
		require.NotContains(t, j.Runs[0], "${{", f.Path)
		require.NotContains(t, j.Runs[0], "\n", f.Path)
	}
	rights := false
	for line := range strings.Lines(f.New) {
		line = strings.TrimRight(line, "\n")
		require.LessOrEqual(t, len(line), 160, f.Path)
		require.Equal(t, strings.TrimRight(line, " "), line, f.Path)
		if uses, is := strings.CutPrefix(strings.TrimPrefix(strings.TrimSpace(line), "- "), "uses: "); is && !strings.HasPrefix(uses, "./") {
			require.Regexp(t, `^[a-z-]+/[a-z-]+@[0-9a-f]{40} # v[0-9.]+$`, uses, f.Path)
		}
		if _, finding, is := strings.Cut(line, "zizmor: ignore["); is {
			name, why, _ := strings.Cut(finding, "] ")
			require.Equal(t, ignored[name], why, "%s: %s", f.Path, name)
		}
		right := regexp.MustCompile(`^ +[a-z-]+: (read|write)\b`).MatchString(line)
		if rights && right {
			require.Contains(t, line, " # ", "%s: a right says what it is for", f.Path)
		}
		rights = strings.HasSuffix(line, "permissions:") || rights && right
	}
}

// If no file can be written, the error has a next step.
func TestRefused(t *testing.T) {
	base := "-- base/pixi.toml --\n" + named("base")
	shop := "-- shop/pixi.toml --\n" + app + "[tool.image]\n"
	for name, c := range map[string]struct{ archive, says, next string }{
		"no package":                         {root + mage, "no package", ""},
		"no Mage":                            {root + base, "neither go.mod nor magefiles/go.mod has a line `tool github.com/magefile/mage`", "go get -tool"},
		"Mage in a require alone":            {root + base + "-- go.mod --\nmodule x\nrequire github.com/magefile/mage v1.15.0\n", "has a line `tool", "go get -tool"},
		"an expression in a folder":          {root + base + "-- ${{ x }}/pixi.toml --\n" + app + "[tool.image]\n" + mage, "cannot be written into a workflow file", "rename this folder or name"},
		"a folder that is an option":         {root + base + "-- -yes/pixi.toml --\n" + app + "[tool.image]\n" + mage, "cannot be written into a workflow file", "rename this folder or name"},
		"a line break in a folder":           {root + base + "-- a\u2028name: x/pixi.toml --\n" + app + "[tool.image]\n" + mage, "cannot be written into a workflow file", "rename this folder or name"},
		"a line break in a registry":         {root + base + shop + "registry = \"ghcr.example\\non: push/acme\"\n" + mage, "cannot be written into a workflow file", "rename this folder or name"},
		"an expression in a registry":        {root + base + shop + "registry = \"${{ secrets.A }}.example/acme\"\n" + mage, "cannot be written into a workflow file", "rename this folder or name"},
		"the release's own workflow":         {root + base + shop + "workflow = \"release.yml\"\n" + mage, "workflow cannot be release.yml, because another workflow", "use another file name"},
		"the same workflow for two images":   {root + base + shop + "workflow = \"x.yml\"\n-- b/pixi.toml --\n" + app + "[tool.image]\nworkflow = \"x.yml\"\n" + mage, "x.yml is also the workflow of the image of b", "a different `workflow` for each image"},
		"an environment that does not exist": {root + base + shop + "[tool.deploy.a]\nhosts = [\"a\"]\nport = 80\nafter = \"z\"\n" + mage, "shop/pixi.toml:", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := workspace.Load(unpacked(t, c.archive))
			require.NoError(t, err)
			_, err = Plan(w, Settings{})
			require.ErrorContains(t, err, c.says)
			require.Contains(t, operr.NextOf(err), c.next)
		})
	}
}
