import { createDomain, type Domain, type DomainPorts, type DomainSettings } from './domain/domain.ts';
import { completeSetup, findSetup } from './domain/state/setup.ts';

/** What a broker is opened on. */
export interface BrokerPorts extends DomainPorts {
  /** @throws StartRefused `store_unfit` when the store does not do what the broker relies on */
  readonly conformance: () => Promise<void>;
}

/** A broker without a server around it. */
export interface OpenBroker {
  readonly domain: Domain;
  /** Ends the streams of events. */
  close(): void;
}

/**
 * Everything between a cloud and anyone who asks: a server of Node, a function in AWS Lambda, a command line, a test.
 * Looks first whether what is there is of this version, so that nothing is written beside another's; then whether the
 * store is fit; and makes the broker's own secrets, or loads those that an earlier one has made.
 * @throws StartRefused `store_unfit`, `setup_mismatch`, `setup_lost`; BrokerProblem for what cannot be reached
 */
export async function openBroker(ports: BrokerPorts, settings: DomainSettings): Promise<OpenBroker> {
  const found = await findSetup(ports.state, ports.kms, ports.versions);
  await ports.conformance();
  const shared = await completeSetup(ports.state, ports.kms, found);
  const domain = createDomain(ports, shared, settings);
  return {
    domain,
    close() {
      domain.vaults.close();
    },
  };
}
