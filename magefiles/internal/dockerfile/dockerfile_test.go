package dockerfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/dockerfile"
)

// Each image is found at its offset. Inserting text there pins the image, and no other byte changes.
func TestImages(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"plain":                 {"FROM debian:12\n", "FROM debian:12@D\n"},
		"lower case, no end":    {"from debian:12", "from debian:12@D"},
		"platform and stage":    {"FROM --platform=$BUILDPLATFORM golang:1.26 AS build\nFROM build\nFROM BUILD AS x\n", "FROM --platform=$BUILDPLATFORM golang:1.26@D AS build\nFROM build\nFROM BUILD AS x\n"},
		"a default, once":       {"ARG A=one:1\nARG B=\"two:2\"\nFROM ${A}\nFROM $A\nFROM --platform=x ${B} AS b\n", "ARG A=one:1@D\nARG B=\"two:2@D\"\nFROM ${A}\nFROM $A\nFROM --platform=x ${B} AS b\n"},
		"several in one ARG":    {"ARG V=1 IMG='x/y:2' W=3\nFROM $IMG\n", "ARG V=1 IMG='x/y:2@D' W=3\nFROM $IMG\n"},
		"an ARG of no FROM":     {"ARG V=1.2\nFROM a\nARG IMG=b\nFROM $IMG\n", "ARG V=1.2\nFROM a@D\nARG IMG=b\nFROM $IMG\n"},
		"ends of Windows":       {"FROM a:1\r\nRUN x\r\nFROM b:2 AS c\r\n", "FROM a:1@D\r\nRUN x\r\nFROM b:2@D AS c\r\n"},
		"copied from":           {"FROM a AS s\nCOPY --from=s /x /x\nCOPY --chown=1 --from=ghcr.io/o/uv:0.9 /uv /bin/\nCOPY --from=0 /y /y\n", "FROM a@D AS s\nCOPY --from=s /x /x\nCOPY --chown=1 --from=ghcr.io/o/uv:0.9@D /uv /bin/\nCOPY --from=0 /y /y\n"},
		"mounted":               {"FROM a AS s\nRUN --mount=type=bind,from=tools:3,target=/t --mount=from=s,target=/s x\n", "FROM a@D AS s\nRUN --mount=type=bind,from=tools:3@D,target=/t --mount=from=s,target=/s x\n"},
		"the frontend":          {"# syntax=docker/dockerfile:1\nFROM scratch\n", "# syntax=docker/dockerfile:1@D\nFROM scratch\n"},
		"a comment like it":     {"# hello\n# syntax=docker/dockerfile:1\nFROM scratch\n", "# hello\n# syntax=docker/dockerfile:1\nFROM scratch\n"},
		"continued":             {"FROM \\\n # why\n\n  --platform=linux/amd64 \\\n  a:1 \\\n  AS b\n", "FROM \\\n # why\n\n  --platform=linux/amd64 \\\n  a:1@D \\\n  AS b\n"},
		"another escape":        {"# escape=`\nFROM a:1 `\n AS b\nRUN c:\\x\\\nFROM b:1\n", "# escape=`\nFROM a:1@D `\n AS b\nRUN c:\\x\\\nFROM b:1@D\n"},
		"in a body":             {"FROM a\nRUN <<EOF\nFROM b\nEOF\nCOPY <<-\"X\" <<Y /etc/\nFROM c\n\tX\nFROM d\nY\nFROM e\n", "FROM a@D\nRUN <<EOF\nFROM b\nEOF\nCOPY <<-\"X\" <<Y /etc/\nFROM c\n\tX\nFROM d\nY\nFROM e@D\n"},
		"pinned":                {"FROM a:1@sha256:00\n", "FROM a:1@sha256:00@D\n"},
		"a port":                {"FROM 127.0.0.1:5000/a\n", "FROM 127.0.0.1:5000/a@D\n"},
		"nothing that is there": {"ARG A\nFROM $A\nFROM\n\\\n", "ARG A\nFROM $A\nFROM\n\\\n"},
	} {
		t.Run(name, func(t *testing.T) {
			images, unclear := dockerfile.Parse([]byte(c.text)).Images()
			require.Empty(t, unclear)
			require.Equal(t, c.want, insert(c.text, images))
		})
	}
}

func insert(text string, images []dockerfile.Image) string {
	ends := map[int]bool{}
	for _, i := range images {
		ends[i.End] = true
	}
	var b strings.Builder
	for n := range len(text) + 1 {
		if ends[n] {
			b.WriteString("@D")
		}
		if n < len(text) {
			b.WriteByte(text[n])
		}
	}
	return b.String()
}

// An image name with variables cannot be determined, and is reported.
func TestUnclear(t *testing.T) {
	text := "ARG V=12\nARG BASE=debian:$V\nFROM debian:${V}\nFROM ${BASE}\nFROM ${X:-a:1}\nFROM deb\\\nian:1\n"
	images, unclear := dockerfile.Parse([]byte(text)).Images()
	require.Empty(t, images)
	require.Equal(t, []dockerfile.Unclear{{
		Ref:  "debian:${V}",
		Line: 3,
	}, {
		Ref:  "debian:$V",
		Line: 2,
	}, {
		Ref:  "${X:-a:1}",
		Line: 5,
	}, {
		Ref:  "debian:1",
		Line: 6,
	}}, unclear)
}

// A script is the text that the shell gets, with the original line structure, for linters.
func TestScripts(t *testing.T) {
	text := "FROM a\nRUN echo $x\nRUN --mount=type=cache,target=/c --network=none \\\n    # why\n    one && \\\n    two\nRUN [\"a\", \"b\"]\nRUN [ -e x ] || y\n" +
		"RUN <<EOF\nset -e\nthree\nEOF\nRUN sh <<'A' && cat <<B\nfour\nA\nfive\nB\nCMD six\n"
	var scripts []string
	var lines []int
	for _, i := range dockerfile.Parse([]byte(text)).Instructions {
		if i.Keyword == "RUN" {
			scripts, lines = append(scripts, i.Script), append(lines, i.ScriptLine)
		}
	}
	require.Equal(t, []string{"echo $x\n", "one && \\\n    two\n", "", "[ -e x ] || y\n", "set -e\nthree\n", "sh <<'A' && cat <<B\nfour\nA\nfive\nB\n"}, scripts)
	require.Equal(t, []int{2, 5, 7, 8, 10, 13}, lines)
}

// Heredocs are recognized as in BuildKit's parser: quoted text does not start one, and the terminator may be any word.
func TestHeredocs(t *testing.T) {
	for text, want := range map[string][]string{
		"RUN echo \"usage: cat <<EOF\"\nUSER a\n":                  {"RUN", "USER"},
		"RUN echo 'a <<EOF b' && cat <<EOF\nUSER b\nEOF\nUSER a\n": {"RUN", "USER"},
		"RUN <<end-of-file\nUSER b\nend\nend-of-file\nUSER a\n":    {"RUN", "USER"},
		"COPY <<\"a b\" /x\nUSER b\na b\nUSER a\n":                 {"COPY", "USER"},
		"RUN cat << EOF\nUSER b\nEOF\nUSER a\n":                    {"RUN", "USER"},
		"RUN <<- 'E.F'\n\tUSER b\n\tE.F\nUSER a\n":                 {"RUN", "USER"},
		"RUN cat <<<EOF\nUSER a\n":                                 {"RUN", "USER"},
		"RUN echo $((1 << 4)) $((1<<N)) \\<<EOF\nUSER a\n":         {"RUN", "USER"},
		"RUN <<1\nUSER b\n1\nUSER a\n":                             {"RUN", "USER"},
		"RUN 3<<EOF cat <<EOF\nUSER b\nEOF\nUSER c\nEOF\nUSER a\n": {"RUN", "USER"},
		"LABEL a=<<EOF\nUSER a\n":                                  {"LABEL", "USER"},
		"LABEL a <<EOF\nUSER a\n":                                  {"LABEL", "USER"},
		"ONBUILD RUN <<EOF\nUSER b\nEOF\nUSER a\n":                 {"ONBUILD", "USER"},
		"onbuild copy <<A <<-B /x\nUSER b\nA\n\tB\nUSER a\n":       {"ONBUILD", "USER"},
		"ONBUILD LABEL <<EOF\nUSER a\n":                            {"ONBUILD", "USER"},
		"\ufeffRUN <<EOF\nUSER b\nEOF\n":                           {"RUN"},
	} {
		var keywords []string
		for _, i := range dockerfile.Parse([]byte(text)).Instructions {
			keywords = append(keywords, i.Keyword)
		}
		require.Equal(t, want, keywords, text)
	}
	for text, want := range map[string]string{
		"RUN <<end-of-file\na\nend-of-file\n": "a\n",
		"RUN << EOF\na\nEOF\n":                "a\n",
		"RUN cat << EOF\na\nEOF\n":            "cat << EOF\na\nEOF\n",
	} {
		require.Equal(t, want, dockerfile.Parse([]byte(text)).Instructions[0].Script)
	}
}

func TestCaches(t *testing.T) {
	text := "FROM a\nRUN --mount=type=cache,id=x-${P},target=/a --mount=type=secret,id=s --mount=type=cache,target=/b true\nRUN --mount=dst=/c,type=cache true\nCOPY --mount=type=cache,id=no a b\n"
	require.Equal(t, []dockerfile.Cache{{
		ID:   "x-${P}",
		Line: 2,
	}, {
		ID:   "/b",
		Line: 2,
	}, {
		ID:   "/c",
		Line: 3,
	}}, dockerfile.Parse([]byte(text)).Caches())
}

// This repository's Dockerfiles do not share caches with other projects on the same builder, or with each other.
func TestCachesAreNotShared(t *testing.T) {
	var defaults []string
	for _, dir := range []string{"app", "containers/runtime"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", filepath.FromSlash(dir), "Dockerfile"))
		require.NoError(t, err)
		file := dockerfile.Parse(text)
		require.NotEmpty(t, file.Caches())
		for _, c := range file.Caches() {
			require.Contains(t, c.ID, "${CACHE_ID}", dir)
		}
		declared := false
		for _, i := range file.Instructions {
			switch i.Keyword {
			case "FROM":
				declared = false
			case "ARG":
				if value, ok := strings.CutPrefix(i.Words[0].Text, "CACHE_ID="); ok {
					require.NotEmpty(t, value)
					defaults = append(defaults, value)
				}
				declared = declared || i.Words[0].Text == "CACHE_ID"
			case "RUN":
				if strings.Contains(strings.Join(words(i.Flags), " "), "CACHE_ID") {
					require.True(t, declared, "%s:%d: the stage does not declare it", dir, i.Line)
				}
			}
		}
	}
	require.Len(t, defaults, 2)
	require.NotEqual(t, defaults[0], defaults[1])
}

func words(all []dockerfile.Word) (texts []string) {
	for _, w := range all {
		texts = append(texts, w.Text)
	}
	return texts
}

// The base image can be determined if it is the same for every platform, with words expanded as in BuildKit's shell.
func TestBase(t *testing.T) {
	for text, want := range map[string]string{
		"FROM a:1\n":                                      "a:1",
		"FROM a:1 AS one\nFROM one\n":                     "a:1",
		"FROM a:1 AS One\nFROM oNE AS two\nFROM TWO\n":    "a:1",
		"FROM a:1\nFROM b:2\n":                            "b:2",
		"FROM Scratch\n":                                  "",
		"FROM scratch AS s\nFROM s\n":                     "",
		"ARG V=1\nFROM a:$V\n":                            "a:1",
		"ARG V=1 W=${V}2\nFROM a:${W}\n":                  "a:12",
		"ARG GIVEN=x\nFROM a:$GIVEN\n":                    "a:given",
		"ARG EMPTY=x\nFROM a:${EMPTY:-y}${EMPTY-z}\n":     "a:y",
		"FROM ${X:-y}${X-z}\n":                            "yz",
		"ARG V=1\nFROM a${V:+:$V}${V+b}${W:+c}${W+d}\n":   "a:1b",
		"ARG V=1\nFROM a:${V:?unset}${V?unset}\n":         "a:11",
		"FROM a:${V:?unset}\n":                            "",
		"ARG V=1\nFROM a:${V%x}\n":                        "",
		"FROM a\nARG V=2\nFROM b:${V:-1}\n":               "b:1", // an ARG inside a stage is not visible in FROM
		"FROM a:$TARGETARCH\n":                            "",
		"FROM a:${TARGETARCH:-x}\n":                       "",
		"ARG TARGETARCH=one\nFROM a:$TARGETARCH\n":        "a:one",
		"ARG V=$TARGETARCH\nFROM a:$V\n":                  "",
		"ARG V=$TARGETARCH\nFROM a:$TARGETARCH\nFROM b\n": "b",
		"ARG V=\"it's\"\nFROM a:$V\n":                     "a:it's",
		"ARG V='a$W'\nFROM $V\n":                          "a$W",
		"ARG V=\"a\\$W\\b\"\nFROM $V\n":                   "a$W\\b",
		"ARG V=a\\b\nFROM $V\n":                           "ab",
		"# escape=`\nARG V=a`$b\\c\nFROM $V\n":            "a$b\\c",
		"FROM ${V\n":                                      "",
		"FROM \"a\n":                                      "",
		"FROM ${}\n":                                      "",
		"":                                                "",
	} {
		require.Equal(t, want, dockerfile.Parse([]byte(text)).Base(map[string]string{"GIVEN": "given", "EMPTY": ""}), "%q", text)
	}
}

// Mount options are recognized by all of BuildKit's spellings, and mounts get the same ids as in BuildKit.
func TestMounts(t *testing.T) {
	for mount, want := range map[string]dockerfile.Mount{
		"type=cache,id=x,target=/a":            {Type: "cache", ID: "x"},
		"type=cache,target=/a":                 {Type: "cache", ID: "/a"},
		"type=cache,dst=/a":                    {Type: "cache", ID: "/a"},
		"destination=/a,type=cache":            {Type: "cache", ID: "/a"},
		"TYPE=Cache,Target=/a":                 {Type: "cache", ID: "/a"},
		`"type=cache,id=x"`:                    {Type: "cache", ID: "x"},
		"type=secret,id=x":                     {Type: "secret", ID: "x"},
		"type=secret,source=x,target=/y":       {Type: "secret", ID: "x"},
		"type=secret,src=x":                    {Type: "secret", ID: "x"},
		"type=secret,id=y,src=x":               {Type: "secret", ID: "x"},
		"type=secret,target=/run/secrets/x":    {Type: "secret", ID: "x"},
		"type=secret,id=x,required":            {Type: "secret", ID: "x", Required: true},
		"type=secret,id=x,required=TRUE":       {Type: "secret", ID: "x", Required: true},
		"type=secret,id=x,required=false":      {Type: "secret", ID: "x"},
		"type=ssh":                             {Type: "ssh", ID: "default"},
		"type=ssh,id=x,required=true":          {Type: "ssh", ID: "x", Required: true},
		"type=ssh,target=/x":                   {Type: "ssh", ID: "default"},
		"type=tmpfs,target=/x":                 {Type: "tmpfs"},
		"from=a,source=/x,target=/y":           {Type: "bind"},
		"type=bind,source=/x,target=/y,rw=oui": {Type: "bind"},
	} {
		want.Line = 2
		require.Equal(t, []dockerfile.Mount{want}, dockerfile.Parse([]byte("FROM a\nRUN --mount="+mount+" x\nCOPY --mount="+mount+" a b\n")).Mounts(), mount)
	}
}
