"""Watches and claims"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    op.create_table('claim',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_claim')),
    comment='What one process at a time may do, and until when its claim lasts.',
    sqlite_with_rowid=False
    )
    op.create_table('watch',
    sa.Column('channel', sa.Text(), nullable=False, comment='chosen here, and kept before the upstream is asked for it'),
    sa.Column('rule_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True, comment='NULL: the rule was removed'),
    sa.Column('connection', sa.Text(), nullable=False, comment='its key in the configuration'),
    sa.Column('calendar', sa.Text(), nullable=False, comment='id of the remote calendar'),
    sa.Column('address', sa.Text(), nullable=False, comment='where its notifications are sent'),
    sa.Column('resource', sa.Text(), nullable=True, comment="the upstream's name of what is watched; NULL until the upstream has told it"),
    sa.Column('opened_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('wanted', sa.Boolean(), nullable=False, comment='FALSE: it is to be closed'),
    sa.Column('attempts', sa.Integer(), nullable=False, comment='how often closing it was tried'),
    sa.Column('not_before', sa.BigInteger(), nullable=False, comment='until then closing it is not tried again'),
    sa.Column('heard_at', sa.BigInteger(), nullable=True, comment='when a notification last led to something'),
    sa.Column('number', sa.BigInteger(), nullable=True, comment='of that notification, as the upstream counts them'),
    sa.ForeignKeyConstraint(['rule_id'], ['rule.id'], name=op.f('fk_watch_rule_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('channel', name=op.f('pk_watch')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('watch', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_watch_rule_id'), ['rule_id'], unique=False)

    op.create_table('watch_problem',
    sa.Column('rule_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('sentence', sa.Text(), nullable=False),
    sa.Column('remedy', sa.Text(), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('not_before', sa.BigInteger(), nullable=False, comment='until then opening one is not tried again'),
    sa.ForeignKeyConstraint(['rule_id'], ['rule.id'], name=op.f('fk_watch_problem_rule_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('rule_id', name=op.f('pk_watch_problem')),
    comment='Why a rule has no watch, or cannot renew it.'
    )


def downgrade() -> None:
    op.drop_table('watch_problem')
    with op.batch_alter_table('watch', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_watch_rule_id'))

    op.drop_table('watch')
    op.drop_table('claim')
