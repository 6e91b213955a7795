import { describe, expect, it } from 'vitest';
import { farewell, greeting } from '../../../broker/entry/greeting.ts';

describe('what a start prints', () => {
  it('is one line in a log', () => {
    const occasion = { dataFolder: '/srv/halfkey', isTerminal: false };
    expect(greeting({ origin: 'http://localhost:8787', ...occasion })).toBe(
      'Halfkey runs at http://localhost:8787\n',
    );
    expect(farewell(occasion)).toBe('');
  });

  it('tells a person the address, where the data are, how to reach it from a phone, and how to stop', () => {
    const occasion = { dataFolder: '/srv/halfkey', isTerminal: true };
    const said = greeting({ origin: 'http://localhost:8787', ...occasion });
    for (const words of ['Halfkey runs at http://localhost:8787', '/srv/halfkey', 'phone', 'HTTPS', 'Ctrl+C'])
      expect(said).toContain(words);
    expect(farewell(occasion)).toContain('Your data stay in /srv/halfkey');
  });

  it('does not send those to look for HTTPS who have it, nor for data that lie in AWS', () => {
    const said = greeting({ origin: 'https://drive.example', dataFolder: undefined, isTerminal: true });
    expect(said).not.toContain('phone');
    expect(said).not.toContain('data');
  });
});
