package command

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// HandedOver names the variable with the number of the file descriptor through which a process passes its credentials when it executes itself again.
const HandedOver = "PIPELINE_CREDENTIALS_FD"

// ways lists variables whose value is the path of a credential. Other processes may read them, since they can find the file or the socket anyway.
var ways = []string{
	"SSH_AUTH_SOCK", "SSH_AGENT_PID", "*ASKPASS", "GPG_*", "DOCKER_CONFIG", "KUBECONFIG", "NETRC", "*_FILE", "GOOGLE_APPLICATION_CREDENTIALS", "AWS_PROFILE", "AWS_CONFIG_FILE",
	"VAULT_ADDR", "CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR",
}

// Reenter executes this program again, in the same process, without credentials in its environment. A process's initial environment remains readable
// in /proc for other processes of the same user, even if it is changed later, so the credentials are passed through a pipe. Reenter returns the
// credentials that were passed to this process, as KEY=VALUE. It returns an error if exec failed; the program then continues unchanged. Without
// credentials it is a no-op.
func Reenter(environ []string) (handed []string, err error) {
	if number, ok := Getenv(environ, HandedOver); ok {
		return receive(number)
	}
	var secrets, clean []string
	for _, kv := range environ {
		if name, value, _ := strings.Cut(kv, "="); isCredential(name, value) && !matches(ways, name) {
			secrets = append(secrets, kv)
			continue
		}
		clean = append(clean, kv)
	}
	if secrets == nil {
		return nil, nil
	}
	data, err := json.Marshal(secrets)
	if err != nil {
		return nil, err
	}
	if len(data) > mostHanded {
		return nil, fmt.Errorf("handing the credentials over: they have %d bytes, but a pipe holds only %d", len(data), mostHanded)
	}
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil { // the new program inherits both ends
		return nil, err
	}
	defer syscall.Close(ends[0])
	_, err = syscall.Write(ends[1], data)
	syscall.Close(ends[1])
	if err != nil {
		return nil, err
	}
	return nil, syscall.Exec(path, os.Args, append(clean, HandedOver+"="+strconv.Itoa(ends[0])))
}

// mostHanded limits the size of the credentials. On every system a pipe can buffer this many bytes.
const mostHanded = 16 << 10

// receive reads the credentials from the pipe. It also prevents the user's other processes from reading this process's memory.
func receive(number string) (handed []string, err error) {
	fd, err := strconv.ParseUint(number, 10, 16)
	if err != nil || fd < 3 {
		return nil, fmt.Errorf("%s=%q is not the number of an open file", HandedOver, number)
	}
	f := os.NewFile(uintptr(fd), "credentials")
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostHanded))
	if err == nil {
		err = json.Unmarshal(data, &handed)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the credentials from the process that started this one: %w", err)
	}
	return handed, undumpable()
}
