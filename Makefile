# Three words, each of which works on a bare machine.
.PHONY: setup run test

setup: ## install what is missing; does nothing when all is there
	@scripts/setup

run: ## build Mizzen and start it
	@scripts/run

test: ## everything that CI checks; ends with `N passed, N failed`
	@scripts/test
