package rules_test

import (
	"go/ast"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// keyInArgv matches a command with a secret in its arguments, where every user of the machine can read the secret. builder matches a command that
// uses BuildKit over TCP, which bareBuilder refuses without TLS if BuildKit is on another machine.
var (
	keyInArgv = regexp.MustCompile(`(?i)(\s-H|--header)[ =]?["']?[\w-]*(authorization|token|key)\b|--(token|password|api-key|conda-token)\b[ =]|(docker|podman|skopeo) login[^|\n]* -p\b|://[^/\s"'@]*:\$[^/\s]*@`)
	builder   = regexp.MustCompile(`buildx create[^\n]*tcp://(127\.|localhost)?[^\n]*`)
)

func bareBuilder(line string) bool {
	m := builder.FindStringSubmatch(line)
	return m != nil && m[1] == "" && !strings.Contains(line, "cacert=")
}

// TestNoSecretIsPutOnACommandLine checks all texts that may contain commands for users: messages, documents, workflows and scripts.
func TestNoSecretIsPutOnACommandLine(t *testing.T) {
	look := func(where, text string) {
		for line := range strings.Lines(text) {
			require.False(t, keyInArgv.MatchString(line), "%s: a secret among the arguments of a command: %s", where, line)
			require.False(t, bareBuilder(line), "%s: a BuildKit without TLS: %s", where, line)
		}
	}
	eachFile(t, func(_ goPackage, _ string, file *ast.File, set *token.FileSet) {
		ast.Inspect(file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				text, err := strconv.Unquote(l.Value)
				require.NoError(t, err)
				look(set.Position(l.Pos()).String(), text)
			}
			return true
		})
	})
	root := filepath.Join("..", "..", "..")
	cmd := exec.Command("git", "ls-files", "*.md", "*.yml", "*.yaml", "*.sh", ".ci/*", "*Dockerfile", "*.toml")
	cmd.Dir = root
	out, err := cmd.Output()
	require.NoError(t, err)
	files := strings.Fields(string(out))
	require.NotEmpty(t, files)
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		look(name, string(text))
	}
}

func TestSecretsOnACommandLine(t *testing.T) {
	for line, bad := range map[string]bool{
		`curl -X DELETE -H "Authorization: Bearer $PREFIX_API_KEY" https://x`: true,
		`curl --header 'PRIVATE-TOKEN: x' https://x`:                          true,
		"`pixi auth login --token …`":                                         true,
		`docker login -u me -p $PASSWORD ghcr.io`:                             true,
		`git clone https://me:$TOKEN@host/x`:                                  true,
		`printf 'Authorization: Bearer %s' "$K" | curl --header @- x`:         false,
		`docker login HOST`:                                                   false,
		`docker login --password-stdin ghcr.io`:                               false,
		`PREFIX_API_KEY=pfx_local go tool mage publish`:                       false,
	} {
		require.Equal(t, bad, keyInArgv.MatchString(line), line)
	}
	for line, bad := range map[string]bool{
		"docker buildx create --driver remote tcp://big:1234":                             true,
		"docker buildx create --append --driver remote tcp://10.0.0.1:1234  # the other":  true,
		"docker buildx create --driver remote --driver-opt key=k tcp://big:1234":          true,
		"docker buildx create --driver remote --driver-opt cacert=c,key=k tcp://big:1234": false,
		"docker buildx create --driver remote tcp://127.0.0.1:1234":                       false,
		"docker buildx create --driver remote ssh://build@big":                            false,
	} {
		require.Equal(t, bad, bareBuilder(line), line)
	}
}
