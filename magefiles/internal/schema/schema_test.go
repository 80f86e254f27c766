package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	toml "github.com/pelletier/go-toml/v2"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pythontest"
	"github.com/foopack/foopack/magefiles/internal/schema"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

var update = flag.Bool("update", false, "write the descriptions of the code into tables.json")

const workspaceTable = "[workspace]\nname = \"acme\"\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\", \"linux-aarch64\"]\n"

// table is one of our tables: its beginning in a manifest, its reader, and where the code describes it.
type table struct {
	name   string
	header string                                // with all that the table needs
	needs  map[string]string                     // lines that the table must have, by their keys
	with   map[string]string                     // lines that a key needs, by that key
	read   func(t *testing.T, text string) error // reads a manifest
	config reflect.Type                          // type that is read into
	source string                                // the file that declares it
	fields map[string]string                     // field of a key, if no tag has the key
}

// tables returns our tables, as the code reads them.
func tables() []table {
	return []table{
		{
			name:   "release",
			header: "[tool.release]\n",
			read: func(t *testing.T, text string) error {
				f := file(t, text)
				settings.ReadConfig(f, "acme")
				return f.TakeProblem()
			},
			config: reflect.TypeFor[settings.Config](),
			source: "../workspace/settings/release.go",
			fields: map[string]string{"branch": "Branches", "copies": "Copies", "pypi": "PyPI", "actions": "Actions"},
		},
		{
			name:   "image",
			header: "[tool.image]\n",
			read: func(t *testing.T, text string) error {
				f := file(t, text)
				settings.ReadImage(f, &manifest.Manifest{Name: "acme", Platforms: []string{"linux-64", "linux-aarch64"}})
				return f.TakeProblem()
			},
			config: reflect.TypeFor[settings.Image](),
			source: "../workspace/settings/image.go",
		},
		{
			name:   "deploy",
			header: "[tool.deploy.staging]\nhosts = [\"other\"]\nport = 80\n[tool.deploy.production]\n",
			needs:  map[string]string{"hosts": "hosts = [\"one\", \"two\", \"three\"]\n", "port": "port = 80\n"},
			with:   map[string]string{"tls": "domain = \"app.example.org\"\n", "pause": "canary = 1\n"},
			read: func(t *testing.T, text string) error {
				dir := t.TempDir()
				require.NoError(t, os.WriteFile(filepath.Join(dir, "pixi.toml"), []byte(text), 0o644))
				_, err := config.Of(&workspace.Workspace{Root: dir}, &workspace.Downstream{Manifest: &manifest.Manifest{Path: "pixi.toml"}})
				return err
			},
			config: reflect.TypeFor[config.Environment](),
			source: "../deploy/config/config.go",
			fields: map[string]string{"secrets_on": "Memory", "start": "StopFirst"},
		},
	}
}

func file(t *testing.T, text string) *manifest.File {
	t.Helper()
	doc, err := tomledit.Parse("pixi.toml", []byte(text))
	require.NoError(t, err)
	return manifest.NewFile(doc, ".", false)
}

// manifest returns a whole manifest in which the table has a line, and what the table must have besides.
func (of table) manifest(key, line string) string {
	text := workspaceTable + of.header
	for _, needed := range slices.Sorted(maps.Keys(of.needs)) {
		if needed != key {
			text += of.needs[needed]
		}
	}
	return text + of.with[key] + line
}

// property is one key of a schema.
type property struct {
	Description string `json:"description"`
	Examples    []any  `json:"examples"`
}

// written returns the keys of our tables in the schema.
func written(t *testing.T) map[string]map[string]property {
	t.Helper()
	data, err := os.ReadFile("tables.json")
	require.NoError(t, err)
	var all map[string]struct {
		Properties map[string]property `json:"properties"`
	}
	require.NoError(t, json.Unmarshal(data, &all))
	keys := map[string]map[string]property{}
	for name, s := range all {
		keys[name] = s.Properties
	}
	return keys
}

// The schema has the keys that the code reads, and no other.
func TestKeys(t *testing.T) {
	keys := written(t)
	require.Len(t, keys, len(tables()))
	for _, of := range tables() {
		err := of.read(t, of.manifest("", "zzz = 1\n"))
		require.ErrorContains(t, err, "zzz")
		listed := regexp.MustCompile(`[Tt]here are (.*)$`).FindStringSubmatch(strings.TrimSuffix(operr.NextOf(err), "."))
		require.NotNil(t, listed, operr.NextOf(err))
		read := strings.Split(strings.ReplaceAll(listed[1], " and ", ", "), ", ")
		require.ElementsMatch(t, read, slices.Collect(maps.Keys(keys[of.name])), "tables.json, %s, and what the code reads", of.name)
	}
}

// An editor describes a key as the code does. `-update` writes the descriptions.
func TestDescriptions(t *testing.T) {
	said := map[string]map[string]string{}
	for _, of := range tables() {
		comments := fieldComments(t, of.source, of.config.Name())
		said[of.name] = map[string]string{}
		for key := range written(t)[of.name] {
			field := of.fields[key]
			for i := range of.config.NumField() {
				if tag, _, _ := strings.Cut(of.config.Field(i).Tag.Get("json"), ","); tag == key && field == "" {
					field = of.config.Field(i).Name
				}
			}
			require.NotEmpty(t, field, "which field of %s is %s?", of.config, key)
			require.NotEmpty(t, comments[field], "%s.%s has no comment", of.config, field)
			said[of.name][key] = comments[field]
		}
	}
	if *update {
		writeDescriptions(t, said)
	}
	for name, keys := range written(t) {
		for key, p := range keys {
			require.Equal(t, said[name][key], p.Description, "tables.json, %s of %s; `go test ./magefiles/internal/schema -update` writes it", key, name)
		}
	}
}

// fieldComments returns the comments of a struct's fields, after a field or above it.
func fieldComments(t *testing.T, source, name string) map[string]string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.ParseComments|parser.SkipObjectResolution)
	require.NoError(t, err)
	comments := map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.Name == name {
			for _, f := range spec.Type.(*ast.StructType).Fields.List {
				for _, n := range f.Names {
					comments[n.Name] = strings.Join(strings.Fields(f.Doc.Text()+f.Comment.Text()), " ")
				}
			}
		}
		return true
	})
	return comments
}

func writeDescriptions(t *testing.T, said map[string]map[string]string) {
	t.Helper()
	data, err := os.ReadFile("tables.json")
	require.NoError(t, err)
	var all map[string]map[string]any
	require.NoError(t, json.Unmarshal(data, &all))
	for name, keys := range said {
		for key, text := range keys {
			all[name]["properties"].(map[string]any)[key].(map[string]any)["description"] = text
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(all))
	require.NoError(t, os.WriteFile("tables.json", b.Bytes(), 0o644))
}

// samples has values of every JSON type. JSON has no dates, so a TOML date is a text in JSON.
var samples = []string{`"text"`, `""`, `7`, `-7`, `1.5`, `true`, `false`, `["text"]`, `[7]`, `[]`, `{ a = "text" }`, `{ a = 7 }`, `{ a = true }`}

// taplo, the TOML language server of editors, accepts the same manifests as the code, and reports the same values with a wrong type.
func TestTaploAndTheCodeAgree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	says := map[string]error{} // the code's error for a line, by its place
	texts := map[string]string{}
	for _, of := range tables() {
		keys := written(t)[of.name]
		for i := range 1 + len(samples) {
			name, text := fmt.Sprintf("%s-%d.toml", of.name, i), workspaceTable+of.header
			for _, key := range slices.Sorted(maps.Keys(keys)) {
				line := example(t, key, keys[key])
				if i > 0 {
					line = key + " = " + samples[i-1] + "\n"
				}
				at := fmt.Sprintf("%s:%d", name, 1+strings.Count(text, "\n"))
				says[at], texts[at] = of.read(t, of.manifest(key, line)), line
				if i == 0 {
					require.NoError(t, says[at], line)
				}
				text += line
			}
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		}
	}
	refused := taplo(t, dir)
	wrong := 0
	for at, err := range says {
		if err == nil {
			require.Empty(t, refused[at], "the code takes this, and an editor would not: %s", texts[at])
		} else if ofType.MatchString(err.Error()) {
			require.NotEmpty(t, refused[at], "the code says %q of this, and an editor nothing: %s", err, texts[at])
			wrong++
		}
	}
	require.Greater(t, wrong, len(says)/3)
}

// taplo also reports texts that the code refuses because of their contents.
func TestTextsThatAreWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var all []string
	for _, of := range tables() {
		for key, values := range map[string]map[string][]string{
			"image": {"check-timeout": {`"soon"`, `"15"`}, "workflow": {`"../x.yml"`}},
			"deploy": {
				"drain": {`"soon"`, `"60"`}, "gate": {`"-5s"`}, "watch": {`"1 m"`}, "stop_grace_period": {`"1d"`}, "pause": {`"s"`}, "disk": {`"lots"`, `"1.5g"`},
				"mem_limit": {`"512x"`}, "domain": {`"https://app.example.org"`, `"app_1"`}, "health": {`"/a b"`}, "user": {`"me:you:all"`}, "proxy": {`"Caddy"`},
				"environment": {`["A-B"]`}, "volumes": {`["data"]`, `["./data:/data"]`, `["data:/data:rx"]`}, "hosts": {`["a b"]`, `["-o:22"]`},
			},
			"release": {"secret": {`"A-B"`}, "changelog": {`"NEWS.rst"`}},
		}[of.name] {
			for _, value := range values {
				text := of.manifest(key, key+" = "+value+"\n")
				require.Error(t, of.read(t, text), "%s = %s", key, value)
				name := fmt.Sprintf("%s-%d.toml", of.name, len(all))
				all = append(all, name+" "+key+" = "+value)
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
			}
		}
	}
	refused := taplo(t, dir)
	for _, one := range all {
		name, line, _ := strings.Cut(one, " ")
		require.NotEmpty(t, refused[name], line)
	}
}

// example returns a line with the first example of a key.
func example(t *testing.T, key string, p property) string {
	t.Helper()
	require.NotEmpty(t, p.Examples, "%s has no example", key)
	var b bytes.Buffer
	e := toml.NewEncoder(&b)
	e.SetTablesInline(true)
	require.NoError(t, e.Encode(map[string]any{key: integers(p.Examples[0])}))
	require.Equal(t, 1, strings.Count(b.String(), "\n"), b.String())
	return b.String()
}

// ofType matches the code's error for a value of another type.
var ofType = regexp.MustCompile(`must be an? .*, and is an? |must be (?:a|true|false)`)

// integers turns JSON's numbers into whole numbers.
func integers(v any) any {
	switch v := v.(type) {
	case float64:
		return int64(v)
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = integers(v[k])
		}
	}
	return v
}

// The combined schema finds errors in the tables that pixi reads, and in the tables that we read.
func TestErrorsInEitherSchema(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"good.toml":      workspaceTable + "[tool.release]\nchannel = \"acme\"\n[tool.other]\nanything = 1\n",
		"workspace.toml": strings.Replace(workspaceTable, `"acme"`, `1`, 1) + "[tool.release]\nchannel = \"acme\"\n",
		"key.toml":       workspaceTable + "[workspacs]\nname = \"acme\"\n",
		"release.toml":   workspaceTable + "[tool.release]\nchannl = \"acme\"\n",
		"value.toml":     workspaceTable + "[tool.release]\nversioning = \"apart\"\n",
		"deploy.toml":    workspaceTable + "[tool.deploy.staging]\nhosts = [\"one\"]\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	refused := taplo(t, dir)
	for _, bad := range []string{"workspace.toml", "key.toml", "release.toml", "value.toml", "deploy.toml"} {
		require.NotEmpty(t, refused[bad], bad)
	}
	require.Empty(t, refused["good.toml"])
	require.Contains(t, refused["workspace.toml"], `1 is not of type "string"`)
	require.Contains(t, refused["release.toml"], "channl")
}

// taplo lints the files of a folder with our schema, and returns what it finds, by file and by FILE:LINE. Pixi's own part comes from what pixi's
// authors gave SchemaStore for pyproject.toml, made from the same model: the package on PyPI that has it is pinned in testdata/taplo.txt.
func taplo(t *testing.T, dir string) (refused map[string]string) {
	t.Helper()
	python := pythontest.Env(t, "testdata/taplo.txt")
	found, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(python)), "lib/python*/site-packages/validate_pyproject_schema_store/resources/pixi.schema.json"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	data, err := os.ReadFile(found[0])
	require.NoError(t, err)
	var pixis map[string]any
	require.NoError(t, json.Unmarshal(data, &pixis))
	require.Contains(t, pixis["$comment"], "Generated from `pixi` v0.")
	pixis["additionalProperties"] = false // a schema of a pixi.toml has the same value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(pixis) }))
	t.Cleanup(server.Close)
	address := server.URL + "/schema.json"
	pixis["$id"] = address
	ours, err := schema.Of(address)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "ours.json")
	require.NoError(t, os.WriteFile(file, ours, 0o644))

	cmd := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(python), "taplo"), "lint", "--colors=never", "--no-auto-config", "--schema=file://"+file, filepath.Join(dir, "*.toml"))
	cmd.Env = append(os.Environ(), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1", "RUST_LOG=error")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, string(out))
	require.NotContains(t, string(out), "failed to fetch")
	refused = map[string]string{}
	for _, m := range invalid.FindAllStringSubmatch(string(out), -1) {
		file, line := filepath.Base(m[2]), filepath.Base(m[2])+":"+m[3]
		refused[file], refused[line] = refused[file]+m[1], refused[line]+m[1]
	}
	return refused
}

// invalid matches what taplo finds, and in which file.
var invalid = regexp.MustCompile(`(?s)error: ([^\n]*)\n\s*┌─ ([^\n]*?):(\d+):\d+\n`)

// The printed schema names pixi's own schema, and is one JSON object.
func TestSchemaNamesPixis(t *testing.T) {
	text, err := schema.Of(schema.Pixis("1.2.3"))
	require.NoError(t, err)
	var one map[string]any
	require.NoError(t, json.Unmarshal(text, &one))
	require.Equal(t, map[string]any{"$ref": "https://pixi.sh/v1.2.3/schema/manifest/schema.json"}, one["allOf"].([]any)[0])
}
