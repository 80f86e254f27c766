package command

// CredentialNames are the patterns that credentials are known by.
func CredentialNames() (all []string) {
	for _, c := range credentials {
		all = append(all, c.names...)
	}
	return all
}

// What tests look at.
var (
	HarmlessNames = harmlessNames
	Ways          = ways
	Above         = above
)
