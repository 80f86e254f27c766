package host

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// sayings are what an ssh_config of a repository may say, each with what its values may be: which host a name means, and over which hosts it is
// reached. By any other option a branch could have ssh start a program, load a library, take an unknown host key, or read and send something of
// the operator's. A value has no quotes, no tokens (%), and no variables ($): ssh puts a jump host into a command of sh, and a user may be made of
// a variable.
var sayings = map[string]*regexp.Regexp{
	"host":                regexp.MustCompile(`^!?[A-Za-z0-9_.:*?-]+(,!?[A-Za-z0-9_.:*?-]+)*$`),
	"hostname":            regexp.MustCompile(`^[A-Za-z0-9_:][A-Za-z0-9_.:-]*$`),
	"port":                digits,
	"user":                regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_.-]*$`),
	"proxyjump":           nil, // a list of hosts, as parse reads them
	"addressfamily":       regexp.MustCompile(`^(any|inet|inet6)$`),
	"compression":         yesOrNo,
	"tcpkeepalive":        yesOrNo,
	"connectionattempts":  digits,
	"connecttimeout":      digits,
	"serveraliveinterval": digits,
	"serveralivecountmax": digits,
}

var (
	digits  = regexp.MustCompile(`^[0-9]{1,5}$`)
	yesOrNo = regexp.MustCompile(`^(yes|no)$`)
	said    = regexp.MustCompile(`^([A-Za-z0-9]+)(?:[ \t]*=[ \t]*|[ \t]+)([!-~][\t -~]*)$`)
)

// Configuration is the file that ssh_config names in a manifest in a folder of a repository. One that is named by its whole path, and is outside
// the repository, is the operator's, and may say anything.
func Configuration(root, folder, file string) (string, error) {
	if filepath.IsAbs(file) {
		if _, inside := beneath.Leads(root, file); !inside {
			return file, nil
		}
	} else {
		file = filepath.Join(root, filepath.FromSlash(folder), filepath.FromSlash(file))
	}
	return file, carried(file)
}

// carried checks an ssh_config that a repository carries: to look at a host must run nothing that somebody wrote into a branch, trust no host
// that the operator does not, and send nothing of the operator's but a login. A jump host is said by ProxyJump.
func carried(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return operr.NewUsage("correct ssh_config in the environment's table", "the configuration for ssh cannot be read: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.Trim(line, " \t\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		m := said.FindStringSubmatch(line)
		if m == nil || !maySay(strings.ToLower(m[1]), m[2]) {
			return operr.NewUsage("it may say Host, HostName, Port, User and ProxyJump, in plain letters; what else you need belongs into your own configuration, or into a file outside the repository",
				"%s is of the repository, and may not say %q to ssh", filepath.Base(file), line)
		}
	}
	return nil
}

func maySay(keyword, value string) bool {
	form, known := sayings[keyword]
	values := []string{value}
	switch keyword {
	case "host":
		values = strings.Fields(value)
	case "proxyjump":
		return value == "none" || !slices.ContainsFunc(strings.Split(value, ","), func(jump string) bool {
			_, err := parse(jump)
			return err != nil
		})
	}
	return known && !slices.ContainsFunc(values, func(one string) bool { return !form.MatchString(one) })
}
