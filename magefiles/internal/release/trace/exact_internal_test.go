package trace

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
)

// If the recorded commit no longer exists, a patch belongs to the release if it has exactly the plan's edits. A patch with more or fewer edits, or
// with the same edits to other files, does not.
func TestPatchHasExactlyThePlansEdits(t *testing.T) {
	r := &Trace{
		Store: &bump.Store{Prefix: "mono"},
		Plan: &plan.Plan{Bump: &bump.Plan{Files: []bump.File{
			{
				Path: "core/pixi.toml",
				Edits: []bump.Edit{
					{Line: 3, Col: 12, Old: "0.1.6", New: "0.1.7", Text: `version = "0.1.6"`},
					{Line: 9, Col: 8, Old: "0.1.6", New: "0.1.7", Text: `a = "==0.1.6", b = "==0.1.6"`},
					{Line: 9, Col: 23, Old: "0.1.6", New: "0.1.7", Text: `a = "==0.1.6", b = "==0.1.6"`},
				},
			},
			{Path: "CHANGELOG.md", Edits: []bump.Edit{{Line: 1, Col: 1, Old: "", New: "# 0.1.7\n\n- one\n", Text: ""}}},
		}}},
	}
	const core = `diff --git a/mono/core/pixi.toml b/mono/core/pixi.toml
--- a/mono/core/pixi.toml
+++ b/mono/core/pixi.toml
@@ -3 +3 @@
-version = "0.1.6"
+version = "0.1.7"
@@ -9 +9 @@
-a = "==0.1.6", b = "==0.1.6"
+a = "==0.1.7", b = "==0.1.7"
`
	const changelog = `diff --git a/mono/CHANGELOG.md b/mono/CHANGELOG.md
--- a/mono/CHANGELOG.md
+++ b/mono/CHANGELOG.md
@@ -0,0 +1,4 @@
+# 0.1.7
+
+- one
`
	for name, c := range map[string]struct {
		patch string
		exact bool
	}{
		"the same":                   {core + changelog, true},
		"in another order":           {changelog + core, true},
		"at other lines":             {strings.ReplaceAll(core, "@@ -9 +9 @@", "@@ -19 +20 @@") + changelog, true},
		"with other ends of lines":   {strings.ReplaceAll(core, "\"\n", "\"\r\n") + changelog, true},
		"with another line":          {core + "+# theirs\n" + changelog, false},
		"without a line":             {strings.Replace(core, "-a = \"==0.1.6\", b = \"==0.1.6\"\n+a = \"==0.1.7\", b = \"==0.1.7\"\n", "", 1) + changelog, false},
		"to another version":         {strings.ReplaceAll(core, "0.1.7", "0.2.0") + changelog, false},
		"half of a line":             {strings.Replace(core, `b = "==0.1.7"`, `b = "==0.1.6"`, 1) + changelog, false},
		"without a file":             {core, false},
		"with another file":          {core + changelog + strings.ReplaceAll(changelog, "CHANGELOG", "THEIRS"), false},
		"in another folder":          {strings.ReplaceAll(core, "mono/core", "other/core") + changelog, false},
		"a line that looks like one": {core + "++++ b/mono/core/other.toml\n" + changelog, false},
		"with a line taken away":     {core + "-# theirs\n" + changelog, false},
		"nothing":                    {"", false},
	} {
		require.Equal(t, c.exact, r.edits(c.patch), name)
	}
}
