package buildx_test

import (
	"os"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/command/argvtest"
)

// TestMain checks every command line that the tests run.
func TestMain(m *testing.M) { os.Exit(argvtest.Main(m)) }
